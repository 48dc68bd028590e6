// AssemblyScript: compiled by `npm run fix:wasm` into kernel.wasm.ts.
// Every vector occupies `bytes` bytes, a multiple of 16, padded with zeros, so that no kernel needs a scalar tail.
// All similarities are "higher is closer": Euclid and Manhattan come out negated.

@inline
function sumLanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

// Four sums hide the latency of addition. Two or four vectors at a time instead took 1.4 times as long, more streams of
// memory than the processor follows; two queries at a time gained nothing over a block that stays in the cache.
@inline
function dot(q: usize, v: usize, bytes: usize): f32 {
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  const wide = bytes & ~63;
  let i: usize = 0;
  for (; i < wide; i += 64) {
    a = f32x4.add(a, f32x4.mul(v128.load(q + i), v128.load(v + i)));
    b = f32x4.add(b, f32x4.mul(v128.load(q + i, 16), v128.load(v + i, 16)));
    c = f32x4.add(c, f32x4.mul(v128.load(q + i, 32), v128.load(v + i, 32)));
    d = f32x4.add(d, f32x4.mul(v128.load(q + i, 48), v128.load(v + i, 48)));
  }
  for (; i < bytes; i += 16) a = f32x4.add(a, f32x4.mul(v128.load(q + i), v128.load(v + i)));
  return sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}

@inline
function squaredDifference(q: usize, v: usize): v128 {
  const d = f32x4.sub(v128.load(q), v128.load(v));
  return f32x4.mul(d, d);
}

@inline
function euclid(q: usize, v: usize, bytes: usize): f32 {
  let a = f32x4.splat(0), b = f32x4.splat(0);
  const wide = bytes & ~31;
  let i: usize = 0;
  for (; i < wide; i += 32) {
    a = f32x4.add(a, squaredDifference(q + i, v + i));
    b = f32x4.add(b, squaredDifference(q + i + 16, v + i + 16));
  }
  for (; i < bytes; i += 16) a = f32x4.add(a, squaredDifference(q + i, v + i));
  return -sumLanes(f32x4.add(a, b));
}

@inline
function manhattan(q: usize, v: usize, bytes: usize): f32 {
  let a = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    a = f32x4.add(a, f32x4.abs(f32x4.sub(v128.load(q + i), v128.load(v + i))));
  }
  return -sumLanes(a);
}

// Scores `count` consecutive vectors from `base`.
export function dotRange(q: usize, base: usize, bytes: usize, count: u32, out: usize): void {
  const end = out + ((<usize>count) << 2);
  for (; out < end; out += 4, base += bytes) f32.store(out, dot(q, base, bytes));
}
export function euclidRange(q: usize, base: usize, bytes: usize, count: u32, out: usize): void {
  const end = out + ((<usize>count) << 2);
  for (; out < end; out += 4, base += bytes) f32.store(out, euclid(q, base, bytes));
}
export function manhattanRange(q: usize, base: usize, bytes: usize, count: u32, out: usize): void {
  const end = out + ((<usize>count) << 2);
  for (; out < end; out += 4, base += bytes) f32.store(out, manhattan(q, base, bytes));
}

// Scores the vectors whose addresses stand in `list`.
export function dotList(q: usize, list: usize, bytes: usize, count: u32, out: usize): void {
  const end = out + ((<usize>count) << 2);
  for (; out < end; out += 4, list += 4) f32.store(out, dot(q, <usize>load<u32>(list), bytes));
}
export function euclidList(q: usize, list: usize, bytes: usize, count: u32, out: usize): void {
  const end = out + ((<usize>count) << 2);
  for (; out < end; out += 4, list += 4) f32.store(out, euclid(q, <usize>load<u32>(list), bytes));
}
export function manhattanList(q: usize, list: usize, bytes: usize, count: u32, out: usize): void {
  const end = out + ((<usize>count) << 2);
  for (; out < end; out += 4, list += 4) f32.store(out, manhattan(q, <usize>load<u32>(list), bytes));
}

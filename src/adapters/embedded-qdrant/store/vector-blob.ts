import { crc32 } from 'node:zlib';
import type { SparseVector } from '../engine/sparse-vectors';

/** A stored vector: the CRC-32 of what follows, then little-endian numbers. */
const CHECKSUM_BYTES = 4;

function seal(...parts: (Float32Array | Uint32Array)[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.byteLength, CHECKSUM_BYTES);
  const blob = Buffer.allocUnsafe(length);
  let at = CHECKSUM_BYTES;
  for (const part of parts) {
    blob.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  blob.writeUInt32LE(crc32(blob.subarray(CHECKSUM_BYTES)), 0);
  return blob;
}

/** The numbers' bytes, aligned, or `undefined` when they are not what was written. */
function open(blob: Uint8Array): Uint8Array | undefined {
  if (blob.byteLength < CHECKSUM_BYTES) return undefined;
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const body = blob.subarray(CHECKSUM_BYTES);
  if (view.getUint32(0, true) !== crc32(body)) return undefined;
  return body.byteOffset % 4 === 0 ? body : body.slice();
}

export const sealDense = (vector: Float32Array): Buffer => seal(vector);

export const sealSparse = ({ indices, values }: SparseVector): Buffer => seal(indices, values);

export function openDense(blob: Uint8Array, size: number): Float32Array | undefined {
  const body = open(blob);
  if (body?.byteLength !== size * 4) return undefined;
  return new Float32Array(body.buffer, body.byteOffset, size);
}

export function openSparse(blob: Uint8Array): SparseVector | undefined {
  const body = open(blob);
  if (body === undefined || body.byteLength % 8 !== 0) return undefined;
  const count = body.byteLength / 8;
  return {
    indices: new Uint32Array(body.buffer, body.byteOffset, count),
    values: new Float32Array(body.buffer, body.byteOffset + count * 4, count),
  };
}

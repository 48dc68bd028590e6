import { QdrantError } from '../qdrant-error';
import { KERNEL_BASE64 } from './kernel.wasm';

type RangeKernel = (query: number, base: number, bytes: number, count: number, out: number) => void;
type ListKernel = (query: number, list: number, bytes: number, count: number, out: number) => void;

export interface Kernels {
  dotRange: RangeKernel;
  euclidRange: RangeKernel;
  manhattanRange: RangeKernel;
  dotList: ListKernel;
  euclidList: ListKernel;
  manhattanList: ListKernel;
}

const PAGE_BYTES = 65_536;
const MAX_PAGES = 65_536;
/** Grown by this much at a time: 4 MiB. Pages never touched cost address space only. */
const GROWTH_PAGES = 64;

/**
 * The one WebAssembly memory that holds every dense vector, scratch space and scores, at most 4 GiB.
 * Blocks are whole numbers of 64 KiB pages; freed blocks are kept for the next block of their size.
 */
export class VectorMemory {
  readonly kernels: Kernels;
  private readonly memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES });
  private readonly freeBlocks = new Map<number, number[]>();
  private nextPage = 1;
  private floatView = new Float32Array(this.memory.buffer);
  private wordView = new Uint32Array(this.memory.buffer);
  private readonly scratch = new Map<string, { address: number; bytes: number }>();

  constructor() {
    const module = new WebAssembly.Module(Buffer.from(KERNEL_BASE64, 'base64'));
    const instance = new WebAssembly.Instance(module, { env: { memory: this.memory } });
    this.kernels = instance.exports as unknown as Kernels;
  }

  /** The whole memory as floats. Fetch it anew after anything that may allocate. */
  get floats(): Float32Array {
    if (this.floatView.buffer !== this.memory.buffer) this.floatView = new Float32Array(this.memory.buffer);
    return this.floatView;
  }

  get words(): Uint32Array {
    if (this.wordView.buffer !== this.memory.buffer) this.wordView = new Uint32Array(this.memory.buffer);
    return this.wordView;
  }

  get usedBytes(): number {
    return this.nextPage * PAGE_BYTES;
  }

  /** @returns the address of a block of at least `bytes` bytes, contents undefined */
  allocate(bytes: number): number {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const free = this.freeBlocks.get(pages)?.pop();
    if (free !== undefined) return free;
    const page = this.nextPage;
    const missing = page + pages - this.memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) this.grow(missing);
    this.nextPage = page + pages;
    return page * PAGE_BYTES;
  }

  free(address: number, bytes: number): void {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const blocks = this.freeBlocks.get(pages);
    if (blocks === undefined) this.freeBlocks.set(pages, [address]);
    else blocks.push(address);
  }

  /** A named block that is reused by every call and only grows. */
  scratchBlock(name: 'query' | 'scores' | 'addresses', bytes: number): number {
    const block = this.scratch.get(name);
    if (block !== undefined && block.bytes >= bytes) return block.address;
    if (block !== undefined) this.free(block.address, block.bytes);
    const size = Math.max(PAGE_BYTES, 2 ** Math.ceil(Math.log2(bytes)));
    const address = this.allocate(size);
    this.scratch.set(name, { address, bytes: size });
    return address;
  }

  private grow(pages: number): void {
    const current = this.memory.buffer.byteLength / PAGE_BYTES;
    const wanted = Math.min(Math.max(pages, GROWTH_PAGES), MAX_PAGES - current);
    try {
      if (wanted < pages) throw new RangeError('beyond 4 GiB');
      this.memory.grow(wanted);
    } catch {
      throw new QdrantError(
        507,
        `Insufficient storage: the embedded server's vector memory cannot grow beyond ${current * PAGE_BYTES} bytes. ` +
          'Delete collections, or use a Qdrant server.',
      );
    }
  }
}

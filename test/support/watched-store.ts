import type { VectorStore } from '../../src/kernel/vector/vector-store';

type Reads = Pick<VectorStore, 'scroll' | 'retrieve'>;

/** The same store, with reads of its points done by `reads` instead. */
export function watchedStore(store: VectorStore, reads: (store: VectorStore) => Partial<Reads>): VectorStore {
  const replaced: Partial<Reads> = reads(store);
  return new Proxy(store, {
    get: (target, name: keyof VectorStore) =>
      replaced[name as keyof Reads] ?? (target[name] as (...given: unknown[]) => unknown).bind(target),
  });
}

import { SpanKind } from '@opentelemetry/api';

import { estimateTokens } from '../chunking/token-estimate';
import type { Embedder } from '../model/embedder';
import type { VectorStore } from '../vector/vector-store';
import type { Meter, WriteOperation } from './meter';
import { inSpan } from './tracing';

/** The embedder, with each call measured and traced. */
export function instrumentedEmbedder(embedder: Embedder, meter: Meter): Embedder {
  const embed: Embedder['embed'] = async (texts, options) => {
    if (texts.length === 0) return embedder.embed(texts, options);
    const { purpose } = options;
    const startedAt = performance.now();
    let isOk = false;
    try {
      const attributes = { 'kindred.texts': texts.length, 'kindred.model': embedder.model.name };
      const vectors = await inSpan(`embed ${purpose}`, { kind: SpanKind.CLIENT, attributes }, () =>
        embedder.embed(texts, options),
      );
      isOk = true;
      return vectors;
    } finally {
      const durationMs = performance.now() - startedAt;
      const tokens = texts.reduce((sum, text) => sum + estimateTokens(text), 0);
      meter.embedded({ purpose, texts: texts.length, tokens, durationMs, isOk });
    }
  };
  return derived(embedder, { embed });
}

/** The vector store, with each request that changes points measured and traced. */
export function instrumentedStore(store: VectorStore, meter: Meter): VectorStore {
  const measured = async (operation: WriteOperation, collection: string, points: number, work: () => Promise<void>) => {
    const startedAt = performance.now();
    let isOk = false;
    try {
      const attributes = { 'kindred.points': points, 'db.system.name': 'qdrant', 'db.collection.name': collection };
      await inSpan(`qdrant ${operation}`, { kind: SpanKind.CLIENT, attributes }, work);
      isOk = true;
    } finally {
      meter.wrote({ operation, points, durationMs: performance.now() - startedAt, isOk });
    }
  };
  return derived<VectorStore>(store, {
    upsert: (collection, points) =>
      measured('upsert', collection, points.length, () => store.upsert(collection, points)),
    overwritePayloads: (collection, points) =>
      measured('payload', collection, points.length, () => store.overwritePayloads(collection, points)),
    delete: (collection, ids) => measured('delete', collection, ids.length, () => store.delete(collection, ids)),
  });
}

/** `target` with some methods exchanged; all its other members are its own, run on itself. */
function derived<T extends object>(target: T, methods: Partial<T>): T {
  const made: Record<string, unknown> = {};
  for (let one: object = target; one !== Object.prototype; one = Object.getPrototypeOf(one) as object) {
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(one))) {
      if (name === 'constructor' || Object.hasOwn(made, name)) continue;
      const method: unknown = member.value;
      if (typeof method === 'function') made[name] = (method as () => unknown).bind(target);
      else Object.defineProperty(made, name, { enumerable: true, get: () => target[name as keyof T] });
    }
  }
  return Object.assign(made, methods) as T;
}

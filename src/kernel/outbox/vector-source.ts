import { DENSE, type VectorStore } from '../vector/vector-store';
import type { Meter } from '../telemetry/meter';
import type { GenerationLedger } from './generation-ledger';
import type { PlannedPoint } from './point-plan';
import type { EmbeddingCall, TextEmbedding } from './text-embedding';

/** The text's dense vector, or why it has none. */
export type DenseOutcome = { dense: Float32Array } | { error: Error };

/** Texts of one kind, and where they may be found embedded already. */
export interface ReuseScope {
  kind: string;
  texts: readonly PlannedPoint[];
  homes: readonly ReuseHome[];
}

/** A collection that the same model fills, and what is known of it. */
export interface ReuseHome {
  ledger: Pick<GenerationLedger, 'pointsByHash'>;
  collection: string;
}

/**
 * Finds a dense vector for each text: from another point of the same kind and model that has the same text, otherwise
 * from the model. Each distinct text is embedded once.
 */
export class VectorSource {
  constructor(
    private readonly store: VectorStore,
    private readonly meter?: Pick<Meter, 'reused'>,
  ) {}

  /**
   * @param embedding of the model that has filled all of `scopes`' homes
   * @returns by content hash
   */
  async find(
    scopes: readonly ReuseScope[],
    embedding: TextEmbedding,
    call: EmbeddingCall,
  ): Promise<Map<string, DenseOutcome>> {
    const found = new Map<string, DenseOutcome>();
    const { dimensions } = embedding.model;
    for (const { kind, texts, homes } of scopes) {
      for (const home of homes) {
        const hashes = new Set(texts.map((point) => point.contentHash).filter((hash) => !found.has(hash)));
        for (const [hash, dense] of await this.stored(kind, [...hashes], home, dimensions)) found.set(hash, { dense });
      }
    }
    const missing = new Map<string, string>();
    for (const { contentHash, text } of scopes.flatMap((scope) => scope.texts)) {
      if (!found.has(contentHash)) missing.set(contentHash, text);
    }
    if (found.size + missing.size > 0) this.meter?.reused({ hits: found.size, misses: missing.size });
    const outcomes = await embedding.embed([...missing.values()], call);
    for (const [i, hash] of [...missing.keys()].entries()) {
      const outcome = outcomes[i];
      if (!outcome) throw new Error('The embedding answered fewer outcomes than texts');
      found.set(hash, 'vector' in outcome ? { dense: outcome.vector } : outcome);
    }
    return found;
  }

  private async stored(
    kind: string,
    hashes: readonly string[],
    { ledger, collection }: ReuseHome,
    dimensions: number,
  ): Promise<Map<string, Float32Array>> {
    const vectors = new Map<string, Float32Array>();
    if (hashes.length === 0) return vectors;
    const pointByHash = await ledger.pointsByHash(kind, hashes);
    if (pointByHash.size === 0) return vectors;
    const points = await this.store.retrieve(collection, [...pointByHash.values()], {
      payload: ['content_hash'],
      vectors: [DENSE],
    });
    for (const { payload, dense } of points) {
      // The point's own word for what its vector is of: the ledger may be behind it.
      const hash = payload.content_hash;
      if (typeof hash !== 'string' || dense?.length !== dimensions) continue;
      vectors.set(hash, Float32Array.from(dense));
    }
    return vectors;
  }
}

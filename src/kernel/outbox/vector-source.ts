import { DENSE, type VectorStore } from '../vector/vector-store';
import type { Meter } from '../telemetry/meter';
import type { PointLedger } from './point-ledger';
import type { PlannedPoint } from './point-plan';
import type { EmbeddingCall, TextEmbedding } from './text-embedding';

/** The text's dense vector, or why it has none. */
export type DenseOutcome = { dense: Float32Array } | { error: Error };

/** Where the texts of one kind may be found embedded already. */
export interface ReuseScope {
  kind: string;
  generationId: number;
  collection: string;
  texts: readonly PlannedPoint[];
}

/**
 * Finds a dense vector for each text: from another point of the same kind and model that has the same text, otherwise
 * from the model. Each distinct text is embedded once.
 */
export class VectorSource {
  constructor(
    private readonly store: VectorStore,
    private readonly ledger: PointLedger,
    private readonly embedding: TextEmbedding,
    private readonly meter?: Pick<Meter, 'reused'>,
  ) {}

  /** @returns by content hash */
  async find(scopes: readonly ReuseScope[], call: EmbeddingCall): Promise<Map<string, DenseOutcome>> {
    const found = new Map<string, DenseOutcome>();
    for (const scope of scopes) for (const [hash, dense] of await this.stored(scope)) found.set(hash, { dense });
    const missing = new Map<string, string>();
    for (const { contentHash, text } of scopes.flatMap((scope) => scope.texts)) {
      if (!found.has(contentHash)) missing.set(contentHash, text);
    }
    if (found.size + missing.size > 0) this.meter?.reused({ hits: found.size, misses: missing.size });
    const outcomes = await this.embedding.embed([...missing.values()], call);
    for (const [i, hash] of [...missing.keys()].entries()) {
      const outcome = outcomes[i];
      if (!outcome) throw new Error('The embedding answered fewer outcomes than texts');
      found.set(hash, 'vector' in outcome ? { dense: outcome.vector } : outcome);
    }
    return found;
  }

  private async stored(scope: ReuseScope): Promise<Map<string, Float32Array>> {
    const hashes = [...new Set(scope.texts.map((point) => point.contentHash))];
    const pointByHash = await this.ledger.pointsByHash(scope.kind, scope.generationId, hashes);
    const vectors = new Map<string, Float32Array>();
    if (pointByHash.size === 0) return vectors;
    const points = await this.store.retrieve(scope.collection, [...pointByHash.values()], {
      payload: ['content_hash'],
      vectors: [DENSE],
    });
    for (const { payload, dense } of points) {
      // The point's own word for what its vector is of: the ledger may be behind it.
      const hash = payload.content_hash;
      if (typeof hash !== 'string' || dense?.length !== this.embedding.model.dimensions) continue;
      vectors.set(hash, Float32Array.from(dense));
    }
    return vectors;
  }
}

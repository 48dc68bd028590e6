import type { SqlRunner } from '../db/database';
import { EmbeddingStatus } from '../embedding/embedding-row';
import { EmbeddingModel } from '../model/embedding-model.entity';
import type { Route } from './route';
import { DENSE, type VectorStore } from './vector-store';

export interface PointStatus {
  status: EmbeddingStatus;
  error: string | null;
  generationId: number | null;
  /** When it took this state. */
  since: Date;
  revision: string;
  indexedRevision: string | null;
  /** Collection that the vector was taken over from; null when Kindred made it. */
  adoptedFrom: string | null;
}

interface PointRow {
  point_id: string;
  state: string;
  error: string | null;
  generation_id: number | null;
  state_since: Date;
  revision: string;
  indexed_revision: string | null;
  adopted_from: string | null;
}

const STATUS: Record<string, EmbeddingStatus> = {
  indexed: EmbeddingStatus.INDEXED,
  failed: EmbeddingStatus.FAILED,
};

/** Reads what the ledger and Qdrant know of points. */
export class PointReader {
  constructor(
    private readonly sql: SqlRunner,
    private readonly store: VectorStore,
    private readonly route: () => Route,
  ) {}

  async statuses(pointIds: readonly string[]): Promise<(PointStatus | null)[]> {
    const rows = await this.sql.query<PointRow>(
      `SELECT point_id, state, error, generation_id, state_since, revision, indexed_revision, adopted_from
       FROM vector_points WHERE point_id = ANY($1::uuid[])`,
      [pointIds],
    );
    const byId = new Map(rows.map((row) => [row.point_id, row]));
    return pointIds.map((id) => {
      const row = byId.get(id);
      if (!row) return null;
      return {
        status: STATUS[row.state] ?? EmbeddingStatus.PENDING,
        error: row.error,
        generationId: row.generation_id,
        since: row.state_since,
        revision: row.revision,
        indexedRevision: row.indexed_revision,
        adoptedFrom: row.adopted_from,
      };
    });
  }

  /** The table that rows with a `legacyKey` were migrated from, with its schema. */
  async migratedTable(): Promise<string | null> {
    const [row] = await this.sql.query<{ name: string }>(
      `SELECT (settings -> 'table' ->> 'schema') || '.' || (settings -> 'table' ->> 'name') AS name FROM legacy_move`,
    );
    return row?.name ?? null;
  }

  /** The model that makes (or made) the vectors of a kind's live collection. */
  async models(kinds: readonly string[]): Promise<(EmbeddingModel | null)[]> {
    const rows = await this.sql.query<EmbeddingModel & { kind: string }>(
      `SELECT generation.kind, model.id, model.provider, model.name, model.version, model.dimensions,
              model.max_tokens AS "maxTokens", model.created_at AS "createdAt"
       FROM embedding_generations generation JOIN embedding_models model ON model.id = generation.model_id
       WHERE generation.state = 'live' AND generation.kind = ANY($1)`,
      [kinds],
    );
    const byKind = new Map(rows.map(({ kind, ...model }) => [kind, Object.assign(new EmbeddingModel(), model)]));
    return kinds.map((kind) => byKind.get(kind) ?? null);
  }

  /** Dense vectors from Qdrant, in the order asked; null while a point is not there yet. */
  async vectors(kind: string, pointIds: readonly string[]): Promise<(number[] | null)[]> {
    const points = await this.store.retrieve(this.route().collection(kind), pointIds, {
      payload: false,
      vectors: [DENSE],
    });
    const byId = new Map(points.map((point) => [point.id, point.dense ?? null]));
    return pointIds.map((id) => byId.get(id) ?? null);
  }
}

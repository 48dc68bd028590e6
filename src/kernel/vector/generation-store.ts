import type { SqlRunner } from '../db/database';
import type { ModelDescriptor } from '../model/embedder';

/** A collection that one model fills for one kind, with what is known of that model. */
export interface Generation {
  id: number;
  kind: string;
  number: number;
  /** Physical name in the vector server. */
  collection: string;
  state: 'building' | 'live' | 'retired';
  modelId: number;
  provider: string;
  modelName: string;
  version: string;
  dimensions: number;
}

/** A generation that is yet to be written down. */
export type NewGeneration = Pick<Generation, 'kind' | 'number' | 'collection'>;

const GENERATION = `
  SELECT g.id, g.kind, g.number, g.collection, g.state, g.model_id AS "modelId",
    m.provider, m.name AS "modelName", m.version, m.dimensions
  FROM embedding_generations g JOIN embedding_models m ON m.id = g.model_id`;

/** Models and generations as the database knows them. */
export class GenerationStore {
  constructor(private readonly sql: SqlRunner) {}

  /** @returns the model's id; known models keep theirs */
  async registerModel(model: ModelDescriptor): Promise<number> {
    const [row] = await this.sql.query<{ id: number }>(
      `INSERT INTO embedding_models (provider, name, version, dimensions, max_tokens) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (provider, name, version, dimensions) DO UPDATE SET max_tokens = EXCLUDED.max_tokens
       RETURNING id`,
      [model.provider, model.name, model.version, model.dimensions, model.maxTokens],
    );
    if (!row) throw new Error('INSERT into embedding_models answered no id');
    return row.id;
  }

  /** Every generation of these kinds, retired ones too, oldest first. */
  async all(kinds: readonly string[]): Promise<Generation[]> {
    return this.sql.query<Generation>(`${GENERATION} WHERE g.kind = ANY($1) ORDER BY g.id`, [kinds]);
  }

  /** What points are written to or deleted from now. */
  async current(kinds: readonly string[]): Promise<Generation[]> {
    return this.sql.query<Generation>(
      `${GENERATION} WHERE g.kind = ANY($1) AND g.state IN ('live', 'building') ORDER BY g.id`,
      [kinds],
      'generations_current',
    );
  }

  /** These become their kinds' live generations; former live ones are retired. */
  async makeLive(modelId: number, generations: readonly NewGeneration[]): Promise<void> {
    // In one statement the retired row could still hold its place in the unique index of live generations.
    await this.sql.query(`UPDATE embedding_generations SET state = 'retired' WHERE kind = ANY($1) AND state = 'live'`, [
      generations.map(({ kind }) => kind),
    ]);
    await this.sql.query(
      `INSERT INTO embedding_generations (kind, model_id, number, collection, state, promoted_at)
       SELECT kind, $1, number, collection, 'live', now()
       FROM unnest($2::text[], $3::int[], $4::text[]) AS made (kind, number, collection)`,
      [
        modelId,
        generations.map(({ kind }) => kind),
        generations.map(({ number }) => number),
        generations.map(({ collection }) => collection),
      ],
    );
  }

  async hasPoints(kind: string): Promise<boolean> {
    const rows = await this.sql.query(`SELECT 1 FROM vector_points WHERE kind = $1 LIMIT 1`, [kind]);
    return rows.length > 0;
  }

  /** Vectors of another model are of no use to the next one: their records are rendered, and their texts embedded. */
  async endAdoptions(kind: string): Promise<void> {
    await this.sql.query(
      `WITH ended AS (
         UPDATE vector_points SET adopted_from = NULL, adopted_hash = NULL, indexed_hash = NULL
         WHERE kind = $1 AND adopted_from IS NOT NULL RETURNING entity_id
       )
       INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT DISTINCT 'source', $1, entity_id::text, 1::smallint FROM ended ON CONFLICT DO NOTHING`,
      [kind],
    );
  }

  /**
   * Forgets that a generation's collection holds anything, and queues every point that it held, or that somebody may be
   * writing to it for the first time just now.
   * @returns how many
   */
  async requeuePoints(generationId: number): Promise<number> {
    const [row] = await this.sql.query<{ count: number }>(
      `WITH reset AS (
         UPDATE vector_points SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
           indexed_revision = NULL, indexed_hash = NULL, generation_id = NULL, error = NULL, error_code = NULL
         WHERE kind = (SELECT kind FROM embedding_generations WHERE id = $1) AND state <> 'deleting'
           AND (generation_id = $1 OR (generation_id IS NULL AND adopted_from IS NULL))
         RETURNING point_id, kind
       ), queued AS (
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT 'point', kind, point_id::text, 1 FROM reset ON CONFLICT DO NOTHING
       )
       SELECT count(*)::int AS count FROM reset`,
      [generationId],
    );
    return row?.count ?? 0;
  }
}

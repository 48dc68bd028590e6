import type { SqlRunner } from '../db/database';
import type { ModelDescriptor } from '../model/embedder';

/** A collection that one model fills for one kind, with what is known of that model. */
export interface Generation {
  id: number;
  kind: string;
  number: number;
  /** Physical name in the vector server. */
  collection: string;
  /** `building`: beside the live one, to be promoted or, where it was live before, to be promoted again. */
  state: 'building' | 'live' | 'retired';
  promotedAt: Date | null;
  modelId: number;
  provider: string;
  modelName: string;
  version: string;
  dimensions: number;
  maxTokens: number;
}

/** The model of a generation. */
export function modelOf({ provider, modelName, version, dimensions, maxTokens }: Generation): ModelDescriptor {
  return { provider, name: modelName, version, dimensions, maxTokens };
}

/** A generation that is yet to be written down. */
export type NewGeneration = Pick<Generation, 'kind' | 'number' | 'collection'>;

const GENERATION = `
  SELECT g.id, g.kind, g.number, g.collection, g.state, g.promoted_at AS "promotedAt", g.model_id AS "modelId",
    m.provider, m.name AS "modelName", m.version, m.dimensions, m.max_tokens AS "maxTokens"
  FROM embedding_generations g JOIN embedding_models m ON m.id = g.model_id`;

/** Notified of when generations come, change places or go. */
export const GENERATIONS_CHANNEL = 'kindred_generations';

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

  /** Every model there ever was, the latest first. */
  models(): Promise<(ModelDescriptor & { id: number })[]> {
    return this.sql.query<ModelDescriptor & { id: number }>(
      `SELECT id, provider, name, version, dimensions, max_tokens AS "maxTokens" FROM embedding_models ORDER BY id DESC`,
    );
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
    await this.add(modelId, 'live', generations);
  }

  /** These are built beside the live ones. */
  async makeStandby(modelId: number, generations: readonly NewGeneration[]): Promise<void> {
    await this.add(modelId, 'building', generations);
    await this.announce();
  }

  /** Waits until nobody is writing down what these kinds' collections hold, and keeps others from it until the commit. */
  async lock(kinds: readonly string[]): Promise<Generation[]> {
    await this.sql.query(
      `SELECT 1 FROM embedding_generations WHERE kind = ANY ($1) AND state <> 'retired' ORDER BY id FOR UPDATE`,
      [kinds],
    );
    return this.current(kinds);
  }

  /** What is beside the live generations takes their place. @param keepsFormer or they are retired */
  async exchange(kinds: readonly string[], keepsFormer: boolean): Promise<void> {
    const former = await this.sql.query<{ id: number }>(
      `UPDATE embedding_generations SET state = 'retired' WHERE kind = ANY ($1) AND state = 'live' RETURNING id`,
      [kinds],
    );
    await this.sql.query(
      `UPDATE embedding_generations SET state = 'live', promoted_at = now() WHERE kind = ANY ($1) AND state = 'building'`,
      [kinds],
    );
    if (keepsFormer) {
      await this.sql.query(`UPDATE embedding_generations SET state = 'building' WHERE id = ANY ($1)`, [
        former.map(({ id }) => id),
      ]);
    }
    await this.announce();
  }

  /** Nothing is kept beside the live generations any more. */
  async retireStandby(kinds: readonly string[]): Promise<void> {
    await this.sql.query(
      `UPDATE embedding_generations SET state = 'retired' WHERE kind = ANY ($1) AND state = 'building'`,
      [kinds],
    );
    await this.announce();
  }

  /** Tells every process to look at the generations again. */
  private async announce(): Promise<void> {
    await this.sql.query(`SELECT pg_notify('${GENERATIONS_CHANNEL}', '')`);
  }

  private async add(modelId: number, state: 'live' | 'building', generations: readonly NewGeneration[]): Promise<void> {
    await this.sql.query(
      `INSERT INTO embedding_generations (kind, model_id, number, collection, state, promoted_at)
       SELECT kind, $1, number, collection, $5::text, CASE WHEN $5::text = 'live' THEN now() END
       FROM unnest($2::text[], $3::int[], $4::text[]) AS made (kind, number, collection)`,
      [
        modelId,
        generations.map(({ kind }) => kind),
        generations.map(({ number }) => number),
        generations.map(({ collection }) => collection),
        state,
      ],
    );
  }

  async hasPoints(kind: string): Promise<boolean> {
    const rows = await this.sql.query(`SELECT 1 FROM vector_points WHERE kind = $1 LIMIT 1`, [kind]);
    return rows.length > 0;
  }

  /**
   * Forgets that a kind's live collection holds anything, and queues every point that it held, or that somebody may be
   * writing to it for the first time just now.
   * @returns how many
   */
  async requeuePoints(kind: string): Promise<number> {
    const [row] = await this.sql.query<{ count: number }>(
      `WITH reset AS (
         UPDATE vector_points SET state = 'pending', revision = nextval('kindred_revision'), state_since = now(),
           indexed_revision = NULL, indexed_hash = NULL, generation_id = NULL, error = NULL, error_code = NULL
         WHERE kind = $1 AND state <> 'deleting' AND (generation_id IS NOT NULL OR adopted_from IS NULL)
         RETURNING point_id, kind
       ), queued AS (
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT 'point', kind, point_id::text, 1 FROM reset ON CONFLICT DO NOTHING
       )
       SELECT count(*)::int AS count FROM reset`,
      [kind],
    );
    return row?.count ?? 0;
  }

  /** The same of what is beside the live collection. */
  async requeueStandby(kind: string): Promise<number> {
    const [row] = await this.sql.query<{ count: number }>(
      `WITH forgotten AS (
         DELETE FROM standby_points WHERE kind = $1 RETURNING point_id
       ), queued AS (
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT 'build', $1, point_id::text, 1 FROM forgotten ON CONFLICT DO NOTHING
       )
       SELECT count(*)::int AS count FROM forgotten`,
      [kind],
    );
    return row?.count ?? 0;
  }
}

import type { SqlRunner, Transaction } from '../../kernel/db/database';
import { FilterReader, filterToSql, SqlValues, type CheckedFilter, type FilterInput } from '../../kernel/record/filter';
import { readRecordInput } from '../../kernel/record/record-input';
import { visibleSql } from '../../kernel/record/record-reader';
import type { KindRegistry } from '../../kernel/record/registry';
import type { Story } from './story.entity';

/** How a story is chunked, all of it. */
export type ChunkingSettings = Pick<Story, 'chunkingStrategy' | 'chunkTokens' | 'chunkOverlap' | 'chunkContext'>;

export interface Rechunked {
  /** Stories that are chunked again. */
  stories: number;
  /** Those of them whose settings were others. */
  changed: number;
}

/** How far stories have been chunked and embedded. */
export interface ChunkingProgress {
  stories: number;
  /** Not chunked yet since they were changed. */
  storiesWaiting: number;
  /** Given up; the dead letters say why. */
  storiesFailed: number;
  chunks: number;
  /** Not in the vector server yet as they are now. */
  chunksWaiting: number;
  chunksFailed: number;
}

const STORY = 'story';
const SETTINGS = 'chunking_strategy, chunk_tokens, chunk_overlap, chunk_context';

/** Chunks many stories again, and tells how far that is. The work itself is the relay's. */
export class StoryChunking {
  constructor(private readonly registry: KindRegistry) {}

  /** All stories that the input lets through, archived ones too unless it says otherwise. */
  filterOf(input: FilterInput): CheckedFilter {
    return new FilterReader(this.registry.kind(STORY), this.registry).read({ archived: 'INCLUDE', ...input });
  }

  /** @throws BAD_INPUT naming the setting, as a field of `path` */
  check(settings: ChunkingSettings, path: string): void {
    readRecordInput(this.registry.kind(STORY), this.registry, settings, 'create', path);
  }

  /**
   * Gives stories these settings, or leaves them theirs, and queues them to be chunked, behind what someone waits for.
   * What comes out as it was is neither written nor embedded.
   */
  async rechunk(transaction: Transaction, filter: CheckedFilter, settings?: ChunkingSettings): Promise<Rechunked> {
    const values = new SqlValues();
    const chosen = `SELECT t.id FROM stories t WHERE ${this.whereOf(filter, values)}`;
    const given =
      settings &&
      [
        values.add(settings.chunkingStrategy),
        `${values.add(settings.chunkTokens)}::int`,
        `${values.add(settings.chunkOverlap)}::int`,
        values.add(settings.chunkContext),
      ].join(', ');
    const [row] = await transaction.query<Rechunked>(
      `WITH chosen AS (${chosen}), changed AS (
         ${given ? `UPDATE stories SET (${SETTINGS}) = ROW(${given}) WHERE id IN (SELECT id FROM chosen) AND (${SETTINGS}) IS DISTINCT FROM (${given}) RETURNING id` : 'SELECT NULL::int AS id WHERE false'}
       ), queued AS (
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT 'source', '${STORY}', id::text, kindred_priority() FROM chosen ON CONFLICT DO NOTHING
       )
       SELECT (SELECT count(*) FROM chosen)::int AS stories, (SELECT count(*) FROM changed)::int AS changed`,
      values.values,
    );
    await transaction.query(`SELECT pg_notify('kindred_outbox', 'source')`);
    return row ?? { stories: 0, changed: 0 };
  }

  async progress(sql: SqlRunner, filter: CheckedFilter): Promise<ChunkingProgress> {
    const values = new SqlValues();
    const [row] = await sql.query<ChunkingProgress>(
      `WITH chosen AS (SELECT t.id FROM stories t WHERE ${this.whereOf(filter, values)}), events AS (
         SELECT o.key, bool_or(o.dead_at IS NULL) AS is_waiting FROM outbox_events o
         WHERE o.topic = 'source' AND o.kind = '${STORY}' AND o.key IN (SELECT id::text FROM chosen) GROUP BY o.key
       ), points AS (
         SELECT p.state FROM vector_points p
         WHERE p.kind = '${STORY}' AND p.entity_id IN (SELECT id FROM chosen) AND p.state <> 'deleting'
       )
       SELECT (SELECT count(*) FROM chosen)::int AS stories,
         (SELECT count(*) FROM events WHERE is_waiting)::int AS "storiesWaiting",
         (SELECT count(*) FROM events WHERE NOT is_waiting)::int AS "storiesFailed",
         (SELECT count(*) FROM points)::int AS chunks,
         (SELECT count(*) FROM points WHERE state = 'pending')::int AS "chunksWaiting",
         (SELECT count(*) FROM points WHERE state = 'failed')::int AS "chunksFailed"`,
      values.values,
    );
    if (!row) throw new Error('counting answered no row');
    return row;
  }

  private whereOf(filter: CheckedFilter, values: SqlValues): string {
    const kind = this.registry.kind(STORY);
    return `(${filterToSql(filter.condition, values)}) AND ${visibleSql(kind, this.registry, filter.archived)}`;
  }
}

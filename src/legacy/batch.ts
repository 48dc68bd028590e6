import type { SqlRunner } from '../kernel/db/database';
import type { LegacyKind } from './legacy-kinds';
import type { RowSql } from './row-sql';

/** All columns of a batch, in the order in which `selectRows` gives them. */
const COLUMNS = `legacy_key, position, kind, entity_type, source_id, point_id, embedding_type, chunk, metadata, created_at,
  updated_at, uuid, extra, reason`;

/**
 * Reads rows as they would be moved, each with the reason if it cannot be.
 * @param from SQL `FROM … WHERE … LIMIT` over alias `l`
 */
export function selectRows(row: RowSql, from: string): string {
  const reason = row.reason({
    kind: 'k.kind',
    parentId: 'r.source_id',
    pointId: 'r.point_id',
    embeddingType: 'r.embedding_type',
    chunk: 'r.chunk',
  });
  // OFFSET 0 keeps the planner from copying these expressions, look-ups of parents among them, to wherever they are used.
  return `
    SELECT ${row.keyText} AS legacy_key, row_number() OVER (ORDER BY ${row.key}) AS position, k.kind,
      ${row.entityType} AS entity_type, r.source_id, r.point_id, r.embedding_type, r.chunk, ${row.metadata} AS metadata,
      ${row.createdAt} AS created_at, ${row.updatedAt} AS updated_at, ${row.uuid} AS uuid, ${row.extra} AS extra,
      ${reason} AS reason
    FROM (SELECT l.* ${from}) l
    CROSS JOIN LATERAL (SELECT ${row.kind} AS kind OFFSET 0) k
    CROSS JOIN LATERAL (
      SELECT ${row.parentId('k.kind')} AS source_id, ${row.pointId} AS point_id,
        ${row.embeddingType('k.kind')} AS embedding_type, ${row.chunkIndex} AS chunk OFFSET 0
    ) r`;
}

/**
 * The rows of one transaction on their way: loaded into a temporary table, then moved, or with their reason put into the
 * quarantine. Each step is one statement for a whole kind.
 */
export class Batch {
  constructor(
    private readonly sql: SqlRunner,
    private readonly row: RowSql,
  ) {}

  async create(): Promise<void> {
    await this.sql.query(`
      CREATE TEMPORARY TABLE legacy_batch (
        legacy_key text, position bigint, kind text, entity_type text, source_id integer, point_id uuid,
        embedding_type text, chunk integer, metadata jsonb, created_at timestamptz, updated_at timestamptz, uuid uuid,
        extra jsonb, reason text, detail text
      ) ON COMMIT DROP`);
  }

  /** For a transaction that has several. */
  async drop(): Promise<void> {
    await this.sql.query('DROP TABLE legacy_batch');
  }

  async load(from: string, values: readonly unknown[]): Promise<number> {
    const [loaded] = await this.sql.query<{ count: number }>(
      `WITH loaded AS (
         INSERT INTO legacy_batch (${COLUMNS}) ${selectRows(this.row, from)} RETURNING 1
       ) SELECT count(*)::int AS count FROM loaded`,
      values,
    );
    await this.sql.query('ANALYZE legacy_batch');
    return loaded?.count ?? 0;
  }

  /** Rows that have been moved already are passed over; so are those that their record has outgrown since. */
  async dropSettled(): Promise<void> {
    for (const kind of await this.settledKinds()) {
      await this.sql.query(
        `DELETE FROM legacy_batch b WHERE ${this.found(
          `${kind.table} t WHERE t.legacy_key IS NOT NULL AND ${this.row.viewId(kind, 't')} = ${this.key('b.legacy_key')}`,
        )}`,
      );
    }
    await this.sql.query(
      `DELETE FROM legacy_batch b USING legacy_quarantine q
       WHERE q.legacy_key = b.legacy_key AND q.reason = 'superseded'`,
    );
  }

  /** Kinds that have rows with keys between the first of the batch and its last: in a first walk none has. */
  private async settledKinds(): Promise<LegacyKind[]> {
    const place = (direction: string): string =>
      `(SELECT ${this.key('legacy_key')} FROM legacy_batch ORDER BY position ${direction} LIMIT 1)`;
    const next = this.row.kinds.map((kind) => {
      const id = this.row.viewId(kind, 't');
      // In the order of the index, which ends the search at the first.
      return `(SELECT ${id} FROM ${kind.table} t WHERE ${id} >= batch.first ORDER BY ${id} LIMIT 1) <= batch.last`;
    });
    const [answer] = await this.sql.query<{ hasRows: (boolean | null)[] }>(
      `SELECT ARRAY[${next.join(', ')}] AS "hasRows" FROM (SELECT ${place('ASC')} AS first, ${place('DESC')} AS last OFFSET 0) batch`,
    );
    return this.row.kinds.filter((_, i) => answer?.hasRows[i] === true);
  }

  /**
   * A look-up by an index for each row. As a join it would be planned as a walk over the whole table, with every batch
   * again. So would LATERAL without OFFSET.
   */
  private found(where: string): string {
    return `(SELECT true FROM ${where} LIMIT 1)`;
  }

  private key(text: string): string {
    return `${text}::${this.row.table.key.type}`;
  }

  /** Takes back moved rows whose original is gone or differs by now. */
  async takeBack(keys: readonly string[]): Promise<void> {
    for (const kind of this.row.kinds) {
      await this.sql.query(
        `DELETE FROM ${kind.table} WHERE id IN (
           SELECT t.id FROM unnest($2::text[]) AS w (legacy_key)
           LEFT JOIN legacy_batch b ON b.legacy_key = w.legacy_key AND b.kind = $1 AND b.reason IS NULL
           CROSS JOIN LATERAL (
             SELECT * FROM ${kind.table} t
             WHERE t.legacy_key IS NOT NULL AND ${this.row.viewId(kind, 't')} = ${this.key('w.legacy_key')} OFFSET 0
           ) t
           WHERE b.legacy_key IS NULL OR ${differs(this.row, kind)}
         )`,
        [kind.kind, keys],
      );
    }
    await this.sql.query('DELETE FROM legacy_quarantine WHERE legacy_key = ANY ($1::text[])', [keys]);
  }

  async lastKey(): Promise<string | null> {
    const [row] = await this.sql.query<{ key: string }>(
      'SELECT legacy_key AS key FROM legacy_batch ORDER BY position DESC LIMIT 1',
    );
    return row?.key ?? null;
  }

  /** Ids of the points that the rows which can move have. */
  async pointIds(): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(
      'SELECT DISTINCT point_id AS id FROM legacy_batch WHERE reason IS NULL',
    );
    return rows.map(({ id }) => id);
  }

  async refuseMissingPoints(absent: readonly string[]): Promise<void> {
    if (absent.length === 0) return;
    await this.sql.query(
      `UPDATE legacy_batch SET reason = 'missing_point' WHERE reason IS NULL AND point_id = ANY ($1::uuid[])`,
      [absent],
    );
  }

  /** Moves what can be moved and quarantines the rest. */
  async write(): Promise<void> {
    const present = await this.sql.query<{ kind: string }>(
      'SELECT DISTINCT kind FROM legacy_batch WHERE reason IS NULL',
    );
    const kinds = this.row.kinds.filter(({ kind }) => present.some((one) => one.kind === kind));
    for (const kind of kinds) await this.makeWay(kind);
    await this.number(kinds);
    await this.refuseDuplicates(kinds);
    await this.refuseSharedPoints();
    for (const kind of kinds) await this.move(kind);
    await this.quarantine();
  }

  /** What Kindred itself made of a record's text gives way to what is moved: a type has one owner. */
  private async makeWay(kind: LegacyKind): Promise<void> {
    await this.sql.query(
      `DELETE FROM ${kind.table} WHERE id IN (
         SELECT t.id FROM (
           SELECT DISTINCT source_id, embedding_type FROM legacy_batch WHERE kind = $1 AND reason IS NULL
         ) b CROSS JOIN LATERAL (
           SELECT t.id FROM ${kind.table} t
           WHERE t.${kind.sourceColumn} = b.source_id AND t.embedding_type = b.embedding_type AND t.legacy_key IS NULL OFFSET 0
         ) t
       )`,
      [kind.kind],
    );
  }

  /** Rows without a chunk index follow the last one of their record and type, in the order of their keys. */
  private async number(kinds: readonly LegacyKind[]): Promise<void> {
    for (const kind of kinds) {
      await this.sql.query(
        `UPDATE legacy_batch b SET chunk = n.chunk
         FROM (
           SELECT u.legacy_key, row_number() OVER (PARTITION BY u.source_id, u.embedding_type ORDER BY u.position) - 1
             + greatest(
               (SELECT coalesce(max(t.${kind.chunkColumn}) + 1, 0) FROM ${kind.table} t
                WHERE t.${kind.sourceColumn} = u.source_id AND t.embedding_type = u.embedding_type),
               coalesce(given.next, 0)
             ) AS chunk
           FROM legacy_batch u LEFT JOIN (
             SELECT source_id, embedding_type, max(chunk) + 1 AS next FROM legacy_batch
             WHERE kind = $1 AND reason IS NULL AND chunk IS NOT NULL GROUP BY 1, 2
           ) given USING (source_id, embedding_type)
           WHERE u.kind = $1 AND u.reason IS NULL AND u.chunk IS NULL
         ) n
         WHERE b.legacy_key = n.legacy_key`,
        [kind.kind],
      );
    }
  }

  /** The first row of a record, type and chunk moves. */
  private async refuseDuplicates(kinds: readonly LegacyKind[]): Promise<void> {
    await this.sql.query(
      `UPDATE legacy_batch b SET reason = 'duplicate_chunk', detail = 'that of ' || d.first
       FROM (
         SELECT legacy_key, first_value(legacy_key) OVER same AS first, row_number() OVER same AS place
         FROM legacy_batch WHERE reason IS NULL
         WINDOW same AS (PARTITION BY kind, source_id, embedding_type, chunk ORDER BY position)
       ) d
       WHERE b.legacy_key = d.legacy_key AND d.place > 1`,
    );
    for (const kind of kinds) {
      await this.sql.query(
        `UPDATE legacy_batch b SET reason = 'duplicate_chunk', detail = 'that of ' || d.first
         FROM (
           SELECT o.legacy_key, (
             SELECT coalesce(t.legacy_key, t.uuid::text) FROM ${kind.table} t
             WHERE t.${kind.sourceColumn} = o.source_id AND t.embedding_type = o.embedding_type
               AND t.${kind.chunkColumn} = o.chunk LIMIT 1
           ) AS first FROM legacy_batch o WHERE o.kind = $1 AND o.reason IS NULL
         ) d
         WHERE d.legacy_key = b.legacy_key AND d.first IS NOT NULL`,
        [kind.kind],
      );
    }
  }

  /** The first row of a point moves, unless an embedding row has the point already. */
  private async refuseSharedPoints(): Promise<void> {
    await this.sql.query(
      `UPDATE legacy_batch b SET reason = 'shared_point', detail = 'that of ' || d.first
       FROM (
         SELECT legacy_key, first_value(legacy_key) OVER same AS first, row_number() OVER same AS place
         FROM legacy_batch WHERE reason IS NULL WINDOW same AS (PARTITION BY point_id ORDER BY position)
       ) d
       WHERE b.legacy_key = d.legacy_key AND d.place > 1`,
    );
    await this.sql.query(
      `UPDATE legacy_batch b SET reason = 'shared_point'
       WHERE b.reason IS NULL AND ${this.found(`vector_points p WHERE p.point_id = b.point_id AND p.state <> 'deleting'`)}`,
    );
  }

  private async move(kind: LegacyKind): Promise<void> {
    await this.sql.query(
      `INSERT INTO ${kind.table} (${kind.sourceColumn}, qdrant_point_id, embedding_type, ${kind.chunkColumn}, metadata_json,
         created_at, updated_at, uuid, legacy_key, legacy_extra, content_hash)
       SELECT source_id, point_id, embedding_type, chunk, metadata, coalesce(created_at, updated_at, now()),
         coalesce(updated_at, created_at, now()), coalesce(uuid, gen_random_uuid()), legacy_key, extra, ''
       FROM legacy_batch WHERE kind = $1 AND reason IS NULL ORDER BY position`,
      [kind.kind],
    );
  }

  private async quarantine(): Promise<void> {
    const { table, key } = this.row;
    await this.sql.query(
      `INSERT INTO legacy_quarantine (legacy_key, reason, detail, entity_type, legacy_row)
       SELECT b.legacy_key, b.reason, b.detail, b.entity_type, to_jsonb(l)
       FROM legacy_batch b JOIN ${table.sql} l ON ${key} = b.legacy_key::${table.key.type}
       WHERE b.reason IS NOT NULL
       ON CONFLICT (legacy_key) DO UPDATE SET reason = EXCLUDED.reason, detail = EXCLUDED.detail,
         entity_type = EXCLUDED.entity_type, legacy_row = EXCLUDED.legacy_row
       WHERE (legacy_quarantine.reason, legacy_quarantine.legacy_row) IS DISTINCT FROM (EXCLUDED.reason, EXCLUDED.legacy_row)`,
    );
    // What was quarantined before and has moved now is no longer there.
    await this.sql.query(
      `DELETE FROM legacy_quarantine q USING legacy_batch b WHERE q.legacy_key = b.legacy_key AND b.reason IS NULL`,
    );
  }
}

/**
 * Whether typed row `t` is not what row `b` of a batch comes to. Times that the table does not have say nothing, and a row
 * that was written since it was moved may be newer than its original, for Kindred touches what it changes.
 */
export function differs(row: RowSql, kind: Pick<LegacyKind, 'sourceColumn' | 'chunkColumn'>): string {
  const [createdAt, updatedAt] = [row.asKept('createdAt', 't.created_at'), row.asKept('updatedAt', 't.updated_at')];
  return `(t.${kind.sourceColumn} <> b.source_id OR t.qdrant_point_id <> b.point_id
    OR t.embedding_type <> b.embedding_type OR t.${kind.chunkColumn} <> b.chunk
    OR t.metadata_json IS DISTINCT FROM b.metadata OR t.legacy_extra IS DISTINCT FROM b.extra
    OR t.uuid <> b.uuid OR ${createdAt} <> b.created_at OR ${updatedAt} < b.updated_at
    OR (${updatedAt} > b.updated_at AND t.updated_by <> 'kindred-relay'))`;
}

/** One `SELECT` a kind, put together. */
export function unionOf(kinds: readonly LegacyKind[], select: (kind: LegacyKind) => string): string {
  return kinds.map(select).join('\n UNION ALL ');
}

import type { SqlRunner } from '../kernel/db/database';
import { readVectorHome } from '../kernel/vector/vector-home';
import type { VectorLayout, VectorStore } from '../kernel/vector/vector-store';
import { VectorStoreRejectedError } from '../kernel/vector/vector-store.errors';
import { selectRows } from './batch';
import { dependentsOf, type Dependents } from './dependents';
import { kindsOf, type LegacyParts } from './legacy-parts';
import { columnRoles, inspectTable, type ColumnRole } from './legacy-table';
import type { MoveSettings } from './move-settings';
import { shown } from './names';
import { quarantineReasons, RowSql, type QuarantineReason } from './row-sql';
import { checkServer } from './server-version';
import { absentPoints } from './vector-home';

export interface TypePlan {
  entityType: string | null;
  kind: string | null;
  rows: number;
  movable: number;
  /** By reason. */
  refused: Partial<Record<QuarantineReason, number>>;
}

export interface Plan {
  table: string;
  rows: number;
  movable: number;
  /** What each column is for; null where the table has none. */
  columns: Record<ColumnRole, { name: string; type: string } | null>;
  extraColumns: { name: string; type: string }[];
  types: TypePlan[];
  /** Over all types. */
  refused: Partial<Record<QuarantineReason, number>>;
  points: {
    distinct: number;
    collection: string | null;
    layout: VectorLayout | null;
    /** Points of movable rows that the collection does not have; null when no collection was named. */
    absent: number | null;
    /** Collections that have some of the points, when none was named. */
    foundIn: { collection: string; found: number; of: number; layouts: VectorLayout[] }[];
  };
  dependents: Dependents;
  timeZone: string;
  warnings: string[];
}

const FETCH_SIZE = 5_000;
const SAMPLE_SIZE = 50;

interface Counted {
  entityType: string | null;
  kind: string | null;
  reason: QuarantineReason | null;
  count: number;
}

/** What each row would come to, duplicates and shared points included. */
function outcomes(row: RowSql): string {
  return `
    WITH read AS (${selectRows(row, `FROM ${row.table.sql} l`)}),
    b AS (
      SELECT legacy_key, position, kind, entity_type, source_id, point_id, embedding_type, chunk,
        coalesce(reason, CASE WHEN point_id = ANY ($1::uuid[]) THEN 'missing_point' END) AS reason FROM read
    ), by_chunk AS (
      SELECT *, row_number() OVER (
        PARTITION BY kind, source_id, embedding_type, chunk, CASE WHEN chunk IS NULL THEN legacy_key END ORDER BY position
      ) AS chunk_place FROM b WHERE reason IS NULL
    ), by_point AS (
      SELECT *, row_number() OVER (PARTITION BY point_id ORDER BY position) AS point_place
      FROM by_chunk WHERE chunk_place = 1
    ), outcome AS (
      SELECT entity_type, kind, reason FROM b WHERE reason IS NOT NULL
      UNION ALL SELECT entity_type, kind, 'duplicate_chunk' FROM by_chunk WHERE chunk_place > 1
      UNION ALL SELECT entity_type, kind, CASE WHEN point_place > 1 THEN 'shared_point' END FROM by_point
    )
    SELECT entity_type AS "entityType", kind, reason, count(*)::float8 AS count FROM outcome GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;
}

/** Looks at everything and changes nothing, in a transaction that PostgreSQL itself keeps from writing. */
export async function plan(
  parts: LegacyParts,
  settings: Omit<MoveSettings, 'table'> & { table: string; layout: VectorLayout | null },
  onProgress?: (done: number, total: number) => void,
): Promise<Plan> {
  return parts.database.transaction({ isSnapshot: true }, async (sql) => {
    await checkServer(sql);
    const table = await inspectTable(sql, settings.table, settings.columns);
    const kinds = kindsOf(parts);
    const absent = await absentKinds(sql, kinds, settings.matchBy);
    const row = new RowSql(table, { ...settings, table }, kinds, absent);
    const { absent: absentIds, ...points } = await lookAtPoints(sql, parts.store, row, settings, onProgress);
    const counted = await sql.query<Counted>(outcomes(row), [absentIds ?? []]);
    const types = byType(counted);
    const refused: Plan['refused'] = {};
    for (const { reason, count } of counted) if (reason) refused[reason] = (refused[reason] ?? 0) + count;
    const made: Plan = {
      table: shown(table),
      rows: total(types.map((type) => type.rows)),
      movable: total(types.map((type) => type.movable)),
      columns: Object.fromEntries(
        (Object.keys(columnRoles) as ColumnRole[]).map((role) => {
          const column = table.roles[role];
          return [role, column ? { name: column.name, type: column.type } : null];
        }),
      ) as Plan['columns'],
      extraColumns: table.extras.map(({ name, type }) => ({ name, type })),
      types,
      refused,
      points: { ...points, absent: absentIds?.length ?? null },
      dependents: await dependentsOf(sql, table),
      timeZone: settings.timeZone,
      warnings: [],
    };
    made.warnings = warningsOf(made, [...absent], row);
    return made;
  });
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function byType(counted: readonly Counted[]): TypePlan[] {
  const types = new Map<string, TypePlan>();
  for (const { entityType, kind, reason, count } of counted) {
    const name = JSON.stringify([entityType, kind]);
    const type = types.get(name) ?? { entityType, kind, rows: 0, movable: 0, refused: {} };
    types.set(name, type);
    type.rows += count;
    if (reason === null) type.movable += count;
    else type.refused[reason] = (type.refused[reason] ?? 0) + count;
  }
  return [...types.values()];
}

/** Kinds whose record table is not there, or not as Kindred makes it. */
async function absentKinds(
  sql: SqlRunner,
  kinds: readonly { kind: string; parentTable: string }[],
  matchBy: MoveSettings['matchBy'],
): Promise<Set<string>> {
  const types = { id: 'int4', uuid: 'uuid', external_id: 'varchar' } as const;
  const rows = await sql.query<{ name: string }>(
    `SELECT wanted.name FROM unnest($1::text[]) AS wanted (name)
     WHERE EXISTS (
       SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(wanted.name) AND a.attname = $2
         AND a.atttypid = to_regtype($3) AND NOT a.attisdropped
     )`,
    [kinds.map((kind) => kind.parentTable), matchBy, types[matchBy]],
  );
  const present = new Set(rows.map(({ name }) => name));
  return new Set(kinds.filter((kind) => !present.has(kind.parentTable)).map(({ kind }) => kind));
}

async function lookAtPoints(
  sql: SqlRunner,
  store: VectorStore,
  row: RowSql,
  settings: { vectorHome: string | null; layout: VectorLayout | null },
  onProgress?: (done: number, total: number) => void,
): Promise<Omit<Plan['points'], 'absent'> & { absent: string[] | null }> {
  const points = `SELECT DISTINCT ${row.pointId} AS id FROM ${row.table.sql} l WHERE ${row.pointId} IS NOT NULL`;
  const [counted] = await sql.query<{ count: number }>(`SELECT count(*)::float8 AS count FROM (${points}) p`);
  const distinct = counted?.count ?? 0;
  if (settings.vectorHome === null) {
    const sample = await sql.query<{ id: string }>(`SELECT id FROM (${points}) p LIMIT ${SAMPLE_SIZE}`);
    const foundIn = await whereFound(
      store,
      sample.map(({ id }) => id),
    );
    return { distinct, collection: null, layout: null, absent: null, foundIn };
  }
  const { collection } = readVectorHome(settings.vectorHome);
  const absent: string[] = [];
  let done = 0;
  // Points of rows that are refused anyway are of no interest.
  await sql.query(
    `DECLARE legacy_points NO SCROLL CURSOR FOR
     SELECT DISTINCT point_id AS id FROM (${selectRows(row, `FROM ${row.table.sql} l`)}) b WHERE reason IS NULL`,
  );
  for (;;) {
    const page = await sql.query<{ id: string }>(`FETCH ${FETCH_SIZE} FROM legacy_points`);
    if (page.length === 0) break;
    const ids = page.map(({ id }) => id);
    absent.push(...(await absentPoints(store, collection, ids)));
    done += page.length;
    onProgress?.(Math.min(done, distinct), distinct);
  }
  return { distinct, collection, layout: settings.layout, absent, foundIn: [] };
}

async function whereFound(store: VectorStore, sample: readonly string[]): Promise<Plan['points']['foundIn']> {
  const found: Plan['points']['foundIn'] = [];
  if (sample.length === 0) return found;
  for (const collection of await store.listCollections()) {
    const count = await countPresent(store, collection, sample);
    if (count === 0) continue;
    const layouts = (await store.describeVectors(collection)) ?? [];
    found.push({ collection, found: count, of: sample.length, layouts });
  }
  return found.sort((a, b) => b.found - a.found);
}

/** None of a collection that was dropped since it was listed. */
async function countPresent(store: VectorStore, collection: string, sample: readonly string[]): Promise<number> {
  try {
    return sample.length - (await absentPoints(store, collection, sample)).length;
  } catch (error) {
    if (error instanceof VectorStoreRejectedError && error.status === 404) return 0;
    throw error;
  }
}

function warningsOf(made: Plan, absent: readonly string[], row: RowSql): string[] {
  const warnings: string[] = [];
  if (absent.length > 0) {
    warnings.push(
      `Kindred has no table for records of ${absent.join(', ')} in this database, so their rows count as without record. Run \`kindred migrate\`, and bring the records over with their ids.`,
    );
  }
  const { layout, collection } = made.points;
  if (layout && layout.distance !== 'Cosine') {
    warnings.push(`The vectors of ${collection} are compared by ${layout.distance} now; Kindred compares by Cosine.`);
  }
  if (layout) {
    warnings.push(
      `Vectors are taken over as they are. That they were made by the model that is configured here can only be known by you: their length says nothing more than ${layout.dimensions} dimensions.`,
    );
  }
  if (!row.table.roles.chunkIndex)
    warnings.push('There is no chunk index: rows of one record and type are numbered by their keys.');
  for (const name of made.dependents.foreignKeys) {
    warnings.push(`The foreign key ${name} refers to this table; the cutover refuses until it is dropped.`);
  }
  if (made.dependents.hasPolicies) {
    warnings.push('The table has row security; the cutover refuses until it is disabled, for a view cannot keep it.');
  }
  for (const name of made.dependents.views) {
    warnings.push(
      `The view ${name} reads this table; after the cutover it goes on reading the table that is put aside.`,
    );
  }
  for (const name of made.dependents.triggers) {
    warnings.push(`The trigger ${name} stays with the table that is put aside; it does not fire for the view.`);
  }
  return warnings;
}

/** What a reason means, for people. */
export function explain(reason: QuarantineReason): string {
  return quarantineReasons[reason];
}

import type { Transaction } from '../db/database';
import type { AttributeMeta } from './attribute';
import type { RecordValues } from './record-input';
import type { RecordKind } from './record-spec';

export type UpsertOutcome = 'created' | 'updated' | 'unchanged';

export interface Upserted {
  id: number;
  outcome: UpsertOutcome;
}

const isList = (attribute: AttributeMeta): boolean => attribute.type === 'strings' || attribute.type === 'json';

function absentValue(attribute: AttributeMeta): unknown {
  if (isList(attribute)) return [];
  return attribute.default ?? null;
}

function toColumns(attributes: readonly AttributeMeta[], values: RecordValues): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map((attribute) => [attribute.column, values[attribute.property] ?? absentValue(attribute)]),
  );
}

function writable(kind: RecordKind): AttributeMeta[] {
  return kind.attributes.filter((attribute) => attribute.writable !== 'never');
}

/**
 * Creates records, or brings those with the same natural key to the given values; rows that are so already are not
 * touched, so nothing is captured for them. Settings that a row does not give stay as they are. One statement for any number
 * of rows that give the same settings; keys must differ.
 * @param options.key columns of the natural key: `external_id`, or the columns of another unique constraint
 * @param options.initial settings of those that are created, one a row
 * @returns one outcome a row, same order
 */
export async function upsertRecords(
  transaction: Transaction,
  kind: RecordKind,
  rows: readonly RecordValues[],
  options: { key?: readonly string[]; initial?: readonly RecordValues[] } = {},
): Promise<Upserted[]> {
  const { key = ['external_id'], initial = [] } = options;
  const upserted = new Array<Upserted>(rows.length);
  for (const group of byGivenSettings(kind, rows, initial)) {
    const chosen = group.indexes.map((index) => ({ ...initial[index], ...rows[index] }));
    const results = await upsertAlike(transaction, kind, group, chosen, key);
    group.indexes.forEach((index, i) => (upserted[index] = results[i] as Upserted));
  }
  return upserted;
}

interface AlikeRows {
  attributes: AttributeMeta[];
  /** Those of them that one that is there keeps. */
  keptAttributes: AttributeMeta[];
  indexes: number[];
}

/** Rows that give the same settings; the columns of settings that a row does not give are none of its business. */
function byGivenSettings(
  kind: RecordKind,
  rows: readonly RecordValues[],
  initial: readonly RecordValues[],
): AlikeRows[] {
  const groups = new Map<string, AlikeRows>();
  rows.forEach((row, index) => {
    const isGiven = ({ isSetting, property }: AttributeMeta): boolean => !isSetting || row[property] !== undefined;
    const all = writable(kind);
    const keptAttributes = all.filter((one) => !isGiven(one) && initial[index]?.[one.property] !== undefined);
    const attributes = all.filter((one) => isGiven(one) || keptAttributes.includes(one));
    const name = [...attributes, null, ...keptAttributes].map((one) => one?.property).join();
    const group = groups.get(name);
    if (group) group.indexes.push(index);
    else groups.set(name, { attributes, keptAttributes, indexes: [index] });
  });
  return [...groups.values()];
}

async function upsertAlike(
  transaction: Transaction,
  kind: RecordKind,
  { attributes, keptAttributes }: AlikeRows,
  rows: readonly RecordValues[],
  key: readonly string[],
): Promise<Upserted[]> {
  const columns = ['external_id', ...attributes.map((attribute) => attribute.column)];
  const kept = new Set([...key, ...keptAttributes.map((attribute) => attribute.column)]);
  const settable = columns.filter((column) => !kept.has(column));
  const documents = rows.map((row) => ({ ...toColumns(attributes, row), external_id: row.externalId ?? null }));
  const isGiven = (alias: string): string =>
    key.map((column) => `${alias}.${column} = ${kind.storedAs?.[column] ?? `given.${column}`}`).join(' AND ');
  const written = await transaction.query<{ id: number; ordinal: number; is_new: boolean | null }>(
    `WITH given AS (
       SELECT (jsonb_populate_record(NULL::${kind.table}, entry.document)).*, entry.ordinal
       FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS entry (document, ordinal)
     ), written AS (
       INSERT INTO ${kind.table} AS present (${columns.join(', ')})
       SELECT ${columns.join(', ')} FROM given ORDER BY ordinal
       ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${settable.map((c) => `${c} = EXCLUDED.${c}`).join(', ')}
       WHERE (${settable.map((c) => `present.${c}`).join(', ')})
         IS DISTINCT FROM (${settable.map((c) => `EXCLUDED.${c}`).join(', ')})
       RETURNING id, ${key.join(', ')}, xmax = 0 AS is_new
     )
     SELECT coalesce(written.id, present.id) AS id, given.ordinal::int AS ordinal, written.is_new
     FROM given
     LEFT JOIN written ON ${isGiven('written')}
     LEFT JOIN ${kind.table} present ON ${isGiven('present')}
     ORDER BY given.ordinal`,
    [JSON.stringify(documents)],
  );
  return written.map(({ id, is_new: isNew }) => ({
    id,
    outcome: isNew === null ? 'unchanged' : isNew ? 'created' : 'updated',
  }));
}

/**
 * Brings the children of each parent to the given list. Children that are equal keep their row, so their embeddings
 * stay; the others are deleted and created.
 * @param property the child's reference to the parent
 * @returns parents whose children changed
 */
export async function replaceChildren(
  transaction: Transaction,
  kind: RecordKind,
  property: string,
  listsByParent: ReadonlyMap<number, readonly RecordValues[]>,
): Promise<Set<number>> {
  const reference = kind.attributes.find((attribute) => attribute.property === property);
  if (!reference) throw new Error(`${kind.kind} has no ${property}`);
  const attributes = writable(kind).filter((attribute) => attribute !== reference && attribute.property !== 'position');
  const present = await presentChildren(transaction, kind, reference, attributes, [...listsByParent.keys()]);
  const changed = new Set<number>();
  const inserted: Record<string, unknown>[] = [];
  const moved: { id: number; position: number }[] = [];
  for (const [parentId, list] of listsByParent) {
    const left = present.get(parentId) ?? new Map<string, { id: number; position: number }[]>();
    list.forEach((values, position) => {
      const document = toColumns(attributes, values);
      const same = left.get(signature(document))?.shift();
      if (!same) {
        inserted.push({ ...document, position, [reference.column]: parentId });
        changed.add(parentId);
      } else if (same.position !== position) {
        moved.push({ id: same.id, position });
        changed.add(parentId);
      }
    });
  }
  const surplus = [...present].flatMap(([parentId, bySignature]) => {
    const rest = [...bySignature.values()].flat();
    if (rest.length > 0) changed.add(parentId);
    return rest.map((row) => row.id);
  });
  if (surplus.length > 0) await transaction.query(`DELETE FROM ${kind.table} WHERE id = ANY($1::int[])`, [surplus]);
  if (moved.length > 0) {
    await transaction.query(
      `UPDATE ${kind.table} child SET position = moved.position
       FROM unnest($1::int[], $2::int[]) AS moved (id, position) WHERE child.id = moved.id`,
      [moved.map((row) => row.id), moved.map((row) => row.position)],
    );
  }
  if (inserted.length > 0) {
    const columns = [reference.column, 'position', ...attributes.map((attribute) => attribute.column)].join(', ');
    await transaction.query(
      `INSERT INTO ${kind.table} (${columns})
       SELECT ${columns} FROM jsonb_populate_recordset(NULL::${kind.table}, $1::jsonb)`,
      [JSON.stringify(inserted)],
    );
  }
  return changed;
}

/** What makes two children equal, whatever the order of keys that PostgreSQL returns. */
function signature(document: Record<string, unknown>): string {
  return JSON.stringify(
    Object.keys(document)
      .sort()
      .map((key) => document[key]),
  );
}

async function presentChildren(
  transaction: Transaction,
  kind: RecordKind,
  reference: AttributeMeta,
  attributes: readonly AttributeMeta[],
  parentIds: readonly number[],
): Promise<Map<number, Map<string, { id: number; position: number }[]>>> {
  const rows = await transaction.query<{
    id: number;
    parent: number;
    position: number;
    document: Record<string, unknown>;
  }>(
    `SELECT child.id, child.${reference.column} AS parent, child.position,
            jsonb_build_object(${attributes.map((a) => `'${a.column}', child.${a.column}`).join(', ')}) AS document
     FROM ${kind.table} child WHERE child.${reference.column} = ANY($1::int[]) AND child.external_id IS NULL
     ORDER BY child.position, child.id`,
    [parentIds],
  );
  const byParent = new Map<number, Map<string, { id: number; position: number }[]>>();
  for (const row of rows) {
    const bySignature = byParent.get(row.parent) ?? new Map<string, { id: number; position: number }[]>();
    byParent.set(row.parent, bySignature);
    const key = signature(row.document);
    bySignature.set(key, [...(bySignature.get(key) ?? []), { id: row.id, position: row.position }]);
  }
  return byParent;
}

import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import type { Client } from 'pg';

import { chaosEmbedders, type ChaosModelName } from './faults/embedding-server';
import { chaosKinds, type ChaosField, type ChaosKind } from './kinds';
import { ARCHIVED_COLUMN, PROFILE_COLUMN, type Model, type Value } from './model';
import { tokensOf } from './writers/texts';

export interface Finding {
  /**
   * `lost`: an acknowledged write is not there. `drift`: the two stores disagree, or a row is not of its record's text.
   * `unexpected answer`: the API answered INTERNAL or misunderstood a request.
   */
  sort: 'lost' | 'drift' | 'unexpected answer';
  kind: string;
  /** Of the record or the point. */
  id: string;
  what: string;
}

export interface Comparison {
  findings: Finding[];
  records: number;
  rows: number;
  points: number;
  /** Every record's columns, by external id. */
  values: Map<string, Map<string, Value>>;
}

type SqlRow = Record<string, unknown> & { id: number; external_id: string; created_at: Date };

interface EmbeddingRow {
  id: string;
  source: number;
  type: string;
  hash: string;
  text: string;
  context: string | null;
  isArchived: boolean;
  state: string | null;
  revision: string | null;
  indexedRevision: string | null;
  kind: string | null;
  isHeld: boolean;
  /** What is written down of the point beside the live one. */
  besideRevision: string | null;
  besideHash: string | null;
}

interface Generation {
  kind: string;
  state: 'live' | 'building' | 'retired';
  collection: string;
  model: ChaosModelName;
}

interface Point {
  id: string;
  payload: Record<string, unknown>;
  vector: { dense: number[]; lexical?: { indices: number[] } };
}

const PAGE = 500;

/**
 * Compares what clients were told with the records, the records with their embedding rows, and the rows with the points:
 * everything, by other means than the program's. Nothing may be under way.
 */
export async function compare(client: Client, vectorUrl: string, model: Model): Promise<Comparison> {
  const comparison: Comparison = { findings: [], records: 0, rows: 0, points: 0, values: new Map() };
  const generations = await readGenerations(client);
  for (const kind of chaosKinds) await compareKind(client, vectorUrl, kind, generations, comparison);
  compareWithModel(model, comparison);
  await compareUsage(client, comparison);
  await compareCollections(client, vectorUrl, generations, comparison);
  return comparison;
}

/** How a thing is tagged with a tag. */
export interface Assignment {
  how: string;
  /** Of a suggestion: what a person decided keeps the score that it was decided at. */
  score: number | null;
}

/** What is tagged with what. */
export async function assignments(client: Client): Promise<Map<string, Assignment>> {
  const tables = { chunk: 'story_chunk', content: 'content_item', job: 'job_description' };
  const { rows } = await client.query<Assignment & { id: string }>(
    Object.entries(tables)
      .map(
        ([name, table]) =>
          `SELECT '${name} ' || ${table}_id || ', tag ' || tag_concept_id AS id, status || ' ' || source AS how,
             CASE WHEN status = 'suggested' THEN score END AS score FROM ${table}_tags`,
      )
      .join(' UNION ALL '),
  );
  return new Map(rows.map(({ id, ...assignment }) => [id, assignment]));
}

/** Each tag says how often it is used; triggers count. */
async function compareUsage(client: Client, { findings }: Comparison): Promise<void> {
  const { rows } = await client.query<{ id: number; said: number; used: number }>(
    `SELECT tag.id, tag.usage_count AS said, count(a.tag_concept_id)::int AS used FROM tag_concepts tag LEFT JOIN (
       SELECT tag_concept_id FROM story_chunk_tags WHERE status <> 'rejected'
       UNION ALL SELECT tag_concept_id FROM content_item_tags WHERE status <> 'rejected'
       UNION ALL SELECT tag_concept_id FROM job_description_tags WHERE status <> 'rejected'
     ) a ON a.tag_concept_id = tag.id GROUP BY tag.id HAVING count(a.tag_concept_id) <> tag.usage_count`,
  );
  for (const { id, said, used } of rows) {
    findings.push({ sort: 'drift', kind: 'tag_concept', id: String(id), what: `used ${used} times, counted ${said}` });
  }
}

async function compareKind(
  client: Client,
  vectorUrl: string,
  kind: ChaosKind,
  generations: readonly Generation[],
  comparison: Comparison,
): Promise<void> {
  const drift = (id: string, what: string): void =>
    void comparison.findings.push({ sort: 'drift', kind: kind.kind, id, what });
  const records = await readRecords(client, kind);
  const rows = await readRows(client, kind);
  comparison.records += records.length;
  comparison.rows += rows.length;
  for (const record of records) comparison.values.set(record.external_id, valuesOf(kind, record));

  const rowsBySource = new Map<number, EmbeddingRow[]>();
  for (const row of rows) rowsBySource.set(row.source, [...(rowsBySource.get(row.source) ?? []), row]);
  for (const record of records) {
    const expected = expectedTokens(kind, record);
    const found = tokensOf(
      (rowsBySource.get(record.id) ?? []).map((row) => `${row.context ?? ''} ${row.text}`).join(' '),
    );
    const missing = [...expected].filter((token) => !found.has(token));
    const stale = [...found].filter((token) => !expected.has(token));
    if (missing.length > 0) drift(record.external_id, `its embedding rows lack ${missing.join(', ')}`);
    if (stale.length > 0) drift(record.external_id, `its embedding rows still have ${stale.join(', ')}`);
  }

  for (const row of rows) {
    if (row.hash !== sha256(textOf(row))) drift(row.id, `the row's hash is not that of its text`);
    if (row.kind !== kind.kind) drift(row.id, `the ledger has it as ${row.kind ?? 'unknown'}`);
    if (row.state !== 'indexed' || row.revision !== row.indexedRevision || !row.isHeld) {
      drift(row.id, `the ledger says ${row.state}, revision ${row.revision}, indexed ${row.indexedRevision}`);
    }
  }
  const recordById = new Map(records.map((record) => [record.id, record]));
  const own = generations.filter((generation) => generation.kind === kind.kind);
  const live = own.find(({ state }) => state === 'live');
  if (!live) return drift('', 'it has no live collection');
  const points = await readPoints(vectorUrl, `kindred_${kind.kind}`);
  comparison.points += points.size;
  await comparePoints(kind, rows, recordById, points, live.model, drift);
  const beside = own.find(({ state }) => state === 'building');
  const driftBeside = (id: string, what: string): void => drift(id, `beside the live collection: ${what}`);
  for (const row of rows) {
    const isAsItShould = beside
      ? row.besideRevision === row.revision && row.besideHash === row.hash
      : row.besideRevision === null;
    if (!isAsItShould) driftBeside(row.id, `revision ${row.besideRevision} of ${row.revision}, hash ${row.besideHash}`);
  }
  if (!beside) return;
  const pointsBeside = await readPoints(vectorUrl, beside.collection);
  comparison.points += pointsBeside.size;
  await comparePoints(kind, rows, recordById, pointsBeside, beside.model, driftBeside);
}

/** A collection has a point for each row, with the model's vector of its text, and no other. Takes them from `points`. */
async function comparePoints(
  kind: ChaosKind,
  rows: readonly EmbeddingRow[],
  recordById: ReadonlyMap<number, SqlRow>,
  points: Map<string, Point>,
  model: ChaosModelName,
  drift: (id: string, what: string) => void,
): Promise<void> {
  const vectors = await chaosEmbedders[model].embed(rows.map(textOf), { purpose: 'document' });
  for (const [i, row] of rows.entries()) {
    const point = points.get(row.id);
    points.delete(row.id);
    if (!point) {
      drift(row.id, `it has no point (record ${recordById.get(row.source)?.external_id})`);
      continue;
    }
    const expected = expectedPayload(kind, recordById.get(row.source) as SqlRow, row, Object.keys(point.payload));
    if (!isDeepStrictEqual(comparable(point.payload), comparable(expected))) {
      drift(row.id, `its payload is ${JSON.stringify(point.payload)} instead of ${JSON.stringify(expected)}`);
    }
    const vector = vectors[i] ?? new Float32Array();
    const { dense } = point.vector;
    const cosine = dense.reduce((sum, value, j) => sum + value * (vector[j] ?? Number.NaN), 0);
    if (dense.length !== vector.length) drift(row.id, `its vector has ${dense.length} dimensions`);
    else if (!(Math.abs(cosine - 1) < 1e-4)) drift(row.id, `its vector is of another text (cosine ${cosine})`);
    if (point.vector.lexical === undefined) drift(row.id, 'it has no lexical vector');
  }
  for (const id of points.keys()) drift(id, 'the point has no row');
}

/** The writes that clients were told of, against the records. */
function compareWithModel(model: Model, { values, findings }: Comparison): void {
  const lost = (kind: string, id: string, what: string): void => void findings.push({ sort: 'lost', kind, id, what });
  for (const record of model.all()) {
    const found = values.get(record.externalId);
    const presence = model.presence(record);
    if (!found) {
      if (presence === 'must') lost(record.kind, record.externalId, 'it was created and is not there');
      continue;
    }
    if (presence === 'must not') lost(record.kind, record.externalId, 'it was deleted and is there');
    for (const column of record.columns) {
      const value = found.get(column) ?? null;
      const possible = record.possible(column);
      if (!possible.has(value)) {
        const list = [...possible].map((one) => JSON.stringify(one)).join(' or ');
        lost(record.kind, record.externalId, `${column} is ${JSON.stringify(value)} instead of ${list}`);
      }
    }
  }
  for (const externalId of values.keys()) {
    if (!model.get(externalId)) lost('', externalId, 'it is there although its creation was refused or rolled back');
  }
}

/**
 * No collection but the live ones and those beside them has points, except for those that have been given up and not
 * deleted yet; and the ledger has no point without a row.
 */
async function compareCollections(
  client: Client,
  vectorUrl: string,
  generations: readonly Generation[],
  { findings }: Comparison,
): Promise<void> {
  const { collections } = await ask<{ collections: { name: string }[] }>(vectorUrl, 'GET', '/collections');
  const names = new Set(generations.map(({ collection }) => collection));
  for (const { name } of collections.filter((collection) => !names.has(collection.name))) {
    const points = await readPoints(vectorUrl, name);
    if (points.size > 0) findings.push({ sort: 'drift', kind: name, id: '', what: `${points.size} points lie about` });
  }
  for (const state of ['live', 'building']) {
    const models = new Set(generations.filter((one) => one.state === state).map(({ model }) => model));
    if (models.size > 1)
      findings.push({ sort: 'drift', kind: '', id: '', what: `${state}: ${[...models].join(', ')}` });
  }
  const embedded = chaosKinds.map((kind) => `SELECT qdrant_point_id FROM ${kind.embeddingTable}`).join(' UNION ALL ');
  const { rows: orphans } = await client.query<{ id: string; kind: string; state: string }>(
    `SELECT point_id AS id, kind, state FROM vector_points WHERE point_id NOT IN (${embedded})`,
  );
  for (const { id, kind, state } of orphans) {
    findings.push({ sort: 'drift', kind, id, what: `the ledger has it (${state}) although there is no row` });
  }
}

async function readGenerations(client: Client): Promise<Generation[]> {
  const { rows } = await client.query<Generation>(
    `SELECT generation.kind, generation.state, generation.collection, model.name AS model
     FROM embedding_generations generation JOIN embedding_models model ON model.id = generation.model_id`,
  );
  return rows;
}

async function readRecords(client: Client, kind: ChaosKind): Promise<SqlRow[]> {
  const owner = kind.hasProfile
    ? `owner.external_id AS "owner id", owner.archived_at AS "owner archived"`
    : `NULL AS "owner id", NULL AS "owner archived"`;
  const derived = Object.entries(kind.derivedPayload ?? {}).map(([key, sql]) => `(${sql}) AS "derived ${key}"`);
  const { rows } = await client.query<SqlRow>(
    `SELECT t.*, (${kind.relatedTexts ?? 'NULL'}) AS "related texts", ${[owner, ...derived].join(', ')}
     FROM ${kind.table} t ${kind.hasProfile ? 'JOIN profiles owner ON owner.id = t.profile_id' : ''}`,
  );
  return rows;
}

async function readRows(client: Client, kind: ChaosKind): Promise<EmbeddingRow[]> {
  const { rows } = await client.query<EmbeddingRow>(
    `SELECT row.qdrant_point_id AS id, row.${kind.sourceColumn} AS source, row.embedding_type AS type,
       row.content_hash AS hash, row.text, row.context_line AS context,
       row.archived_at IS NOT NULL AS "isArchived", point.state, point.revision,
       point.indexed_revision AS "indexedRevision", point.kind, point.generation_id IS NOT NULL AS "isHeld",
       beside.indexed_revision AS "besideRevision", beside.indexed_hash AS "besideHash"
     FROM ${kind.embeddingTable} row
     LEFT JOIN vector_points point ON point.point_id = row.qdrant_point_id
     LEFT JOIN standby_points beside ON beside.point_id = row.qdrant_point_id AND beside.kind = '${kind.kind}'`,
  );
  return rows;
}

async function readPoints(vectorUrl: string, collection: string): Promise<Map<string, Point>> {
  const points = new Map<string, Point>();
  let offset: string | number | null | undefined;
  do {
    const page: { points: Point[]; next_page_offset?: string | number | null } = await ask(
      vectorUrl,
      'POST',
      `/collections/${collection}/points/scroll`,
      { limit: PAGE, with_payload: true, with_vector: true, ...(offset == null ? {} : { offset }) },
    );
    for (const point of page.points) points.set(point.id, point);
    offset = page.next_page_offset;
  } while (offset != null);
  return points;
}

async function ask<T>(url: string, method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { result: T }).result;
}

const textOf = ({ context, text }: EmbeddingRow): string => (context === null ? text : `${context}\n${text}`);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function valuesOf(kind: ChaosKind, record: SqlRow): Map<string, Value> {
  const values = new Map<string, Value>(
    kind.fields.map((field) => [field.column, asValue(field, record[field.column])]),
  );
  values.set(ARCHIVED_COLUMN, String(record.archived_at !== null));
  if (kind.hasProfile) values.set(PROFILE_COLUMN, record['owner id'] as string);
  return values;
}

function asValue(field: ChaosField, found: unknown): Value {
  if (found === null || found === undefined) return null;
  if (field.type === 'list') return JSON.stringify(found);
  return typeof found === 'boolean' ? String(found) : (found as string);
}

function expectedTokens(kind: ChaosKind, record: SqlRow): Set<string> {
  const own = kind.fields.filter((field) => field.isText).flatMap((field) => record[field.column] ?? '');
  return tokensOf([...own, record['related texts'] ?? ''].join(' '));
}

/** @param keys of the payload that was found: a column that is mirrored and not listed in `kinds.ts` is checked too */
function expectedPayload(
  kind: ChaosKind,
  record: SqlRow,
  row: EmbeddingRow,
  keys: readonly string[],
): Record<string, unknown> {
  const payload: Record<string, unknown> = {
    entity_id: record.id,
    archived: record.archived_at !== null || record['owner archived'] !== null || row.isArchived,
    created_at: record.created_at.toISOString(),
    embedding_type: row.type,
    content_hash: row.hash,
    revision: Number(row.revision),
  };
  const further = keys.filter((key) => !(key in payload) && key in record && !kind.payloadLists.includes(key));
  for (const column of new Set([...kind.payloadColumns, ...further])) {
    if (record[column] !== null) payload[column] = record[column];
  }
  for (const column of kind.payloadLists) {
    payload[column] = [...new Set((record[column] as string[]).map((item) => item.toLowerCase()))];
  }
  for (const key of Object.keys(kind.derivedPayload ?? {})) payload[key] = record[`derived ${key}`];
  return payload;
}

/** Lists are sets, and an empty one is as good as none. */
function comparable(payload: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(payload)
      .filter(([, value]) => !(Array.isArray(value) && value.length === 0))
      .map(([key, value]) => [key, Array.isArray(value) ? [...(value as string[])].sort() : value]),
  );
}

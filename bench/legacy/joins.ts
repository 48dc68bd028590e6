import { recordKinds } from '../../src/features/registry';
import type { Database } from '../../src/kernel/db/database';
import { constrain } from '../../src/legacy/constrain';
import { seeded } from '../support/random';
import { median, table } from '../support/report';

const ROWS_PER_PARENT = 10;
/** Each kind of record has as many rows; the one that is asked about is one of them. */
const TYPES = ['profile', 'job_description', 'work_experience', 'project', 'skill'];
const LOOKUPS = 200;
const SLOW_LOOKUPS = 10;
const DELETES = 50;
const SLOW_DELETES = 5;
const JOINED_PARENTS = 10_000;
const ROUNDS = 5;

interface Variant {
  name: string;
  parents: string;
  /** Rows of one parent, by `$1`. */
  lookup: string;
  /** Rows of the parents from `$1` on, below `$2`. */
  join: string;
  /** Statements that delete parent `$1` and its rows. */
  remove: string[];
  /** Whether a look-up reads the whole table, so that a few tell enough. */
  isSlow?: boolean;
}

const polymorphic = (name: string, rows: string, parents: string, isCleaning: boolean, isSlow?: boolean): Variant => ({
  name,
  parents,
  lookup: `SELECT qdrant_point_id FROM ${rows} WHERE entity_type = 'profile' AND entity_id = $1`,
  join: `SELECT count(e.qdrant_point_id) FROM ${parents} p JOIN ${rows} e ON e.entity_type = 'profile' AND e.entity_id = p.id
    WHERE p.id >= $1 AND p.id < $2`,
  remove: [
    ...(isCleaning ? [`DELETE FROM ${rows} WHERE entity_type = 'profile' AND entity_id = $1`] : []),
    `DELETE FROM ${parents} WHERE id = $1`,
  ],
  isSlow,
});

const VARIANTS: readonly Variant[] = [
  {
    name: 'typed table',
    parents: 'people_typed',
    lookup: 'SELECT qdrant_point_id FROM typed_embeddings WHERE parent_id = $1',
    join: `SELECT count(e.qdrant_point_id) FROM people_typed p JOIN typed_embeddings e ON e.parent_id = p.id
      WHERE p.id >= $1 AND p.id < $2`,
    remove: ['DELETE FROM people_typed WHERE id = $1'],
  },
  polymorphic('polymorphic, as the document finds it', 'loose_embeddings', 'people_loose', true, true),
  polymorphic('polymorphic, index on (entity_type, entity_id)', 'indexed_embeddings', 'people_indexed', true),
  polymorphic('polymorphic, constrained', 'constrained_embeddings', 'people_constrained', false),
];

/** Measures the document's claim that typed tables join faster. @returns Markdown */
export async function compareJoins(database: Database, rows: number): Promise<string[]> {
  const parents = Math.ceil(rows / TYPES.length / ROWS_PER_PARENT);
  await prepare(database, parents);
  const results = [];
  for (const variant of VARIANTS) results.push([variant.name, ...(await measure(database, variant, parents))]);
  return [
    '## Do typed tables join faster?',
    '',
    `The document says so. ${rows.toLocaleString('en')} rows, ${TYPES.length} entity types alike, ${ROWS_PER_PARENT} rows a record. The typed table holds the rows of`,
    'one entity type, the polymorphic ones those of all. Medians in milliseconds: the embeddings of one record, picked at random;',
    `all embeddings of ${JOINED_PARENTS.toLocaleString('en')} records, joined; deleting one record with its embeddings.`,
    '',
    table(['', 'one record, ms', 'join of 10,000 records, ms', 'delete of a record, ms'], results),
  ];
}

async function prepare(database: Database, parents: number): Promise<void> {
  for (const { parents: name } of VARIANTS) {
    await database.query(`CREATE TABLE ${name} (id INTEGER PRIMARY KEY, name TEXT)`);
    await database.query(`INSERT INTO ${name} SELECT n, 'Person ' || n FROM generate_series(1, $1) n`, [parents]);
  }
  await database.query(`CREATE TABLE typed_embeddings (
    id SERIAL PRIMARY KEY, parent_id INTEGER NOT NULL REFERENCES people_typed (id) ON DELETE CASCADE,
    qdrant_point_id UUID UNIQUE NOT NULL, embedding_type VARCHAR(50) NOT NULL, chunk_index INTEGER DEFAULT 0, metadata_json TEXT
  )`);
  await database.query('CREATE INDEX ON typed_embeddings (parent_id)');
  for (const name of ['loose_embeddings', 'indexed_embeddings', 'constrained_embeddings']) {
    await database.query(`CREATE TABLE ${name} (
      id SERIAL PRIMARY KEY, entity_type VARCHAR(50), entity_id INTEGER, qdrant_point_id UUID, embedding_type VARCHAR(50),
      chunk_index INTEGER DEFAULT 0, metadata_json TEXT
    )`);
  }
  // As they come in life: the entity types in turns.
  const rows = (type: string): string =>
    `SELECT ${type}, n / ${TYPES.length * ROWS_PER_PARENT} + 1, gen_random_uuid(), 'full', n / ${TYPES.length} % ${ROWS_PER_PARENT}, '{"a": 1}'
     FROM generate_series(0, $1::int - 1) n`;
  const types = `(ARRAY[${TYPES.map((type) => `'${type}'`).join(', ')}])[n % ${TYPES.length} + 1]`;
  const total = parents * TYPES.length * ROWS_PER_PARENT;
  const columns = '(entity_type, entity_id, qdrant_point_id, embedding_type, chunk_index, metadata_json)';
  await database.query(`INSERT INTO loose_embeddings ${columns} ${rows(types)}`, [total]);
  for (const name of ['indexed_embeddings', 'constrained_embeddings']) {
    await database.query(
      `INSERT INTO ${name} ${columns} SELECT entity_type, entity_id, qdrant_point_id, embedding_type, chunk_index, metadata_json FROM loose_embeddings`,
    );
  }
  await database.query(
    `INSERT INTO typed_embeddings (parent_id, qdrant_point_id, embedding_type, chunk_index, metadata_json)
     SELECT entity_id, qdrant_point_id, embedding_type, chunk_index, metadata_json FROM loose_embeddings WHERE entity_type = 'profile'`,
  );
  await database.query('CREATE INDEX ON indexed_embeddings (entity_type, entity_id)');
  await database.query('CREATE TABLE others (id INTEGER PRIMARY KEY)');
  await database.query('INSERT INTO others SELECT n FROM generate_series(1, $1) n', [parents]);
  const tables = recordKinds.map(({ kind }) => [kind, kind === 'profile' ? 'people_constrained' : 'others']);
  await constrain(
    { database, kinds: recordKinds },
    { table: 'constrained_embeddings', columns: {}, parents: Object.fromEntries(tables) },
  );
  await database.query('VACUUM ANALYZE');
}

async function measure(database: Database, variant: Variant, parents: number): Promise<string[]> {
  const random = seeded(7);
  const pick = (): number => 1 + Math.floor(random() * parents);
  const each = async (times: number, statements: readonly string[], values: () => unknown[]): Promise<number> => {
    const taken: number[] = [];
    for (let i = 0; i < times; i++) {
      const given = values();
      const startedAt = performance.now();
      for (const [n, sql] of statements.entries())
        await database.query(sql, given, `${variant.parents}_${sql.length}_${n}`);
      taken.push(performance.now() - startedAt);
    }
    return median(taken);
  };
  const lookup = await each(variant.isSlow ? SLOW_LOOKUPS : LOOKUPS, [variant.lookup], () => [pick()]);
  const join = await each(ROUNDS, [variant.join], () => {
    const from = 1 + Math.floor(random() * Math.max(1, parents - JOINED_PARENTS));
    return [from, from + JOINED_PARENTS];
  });
  let next = 1;
  const remove = await each(variant.isSlow ? SLOW_DELETES : DELETES, variant.remove, () => [next++]);
  return [lookup, join, remove].map((ms) => ms.toFixed(2));
}

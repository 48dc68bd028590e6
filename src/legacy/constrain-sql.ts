import type { LegacyKind } from './legacy-kinds';
import type { LegacyTable } from './legacy-table';
import { sqlName, type TableName } from './names';
import { literal, quoted } from './sql-text';

/** A kind and the table of its records, which need not be Kindred's. */
export interface Parent extends Pick<LegacyKind, 'kind' | 'label'> {
  table: TableName;
}

export interface ConstrainParts {
  table: LegacyTable;
  parents: readonly Parent[];
}

export interface ConstrainStep {
  /** What it is for, in one line. */
  title: string;
  sql: string;
}

/** Index names of the document; education and skill follow their example. */
const INDEX_NAMES: Record<string, string> = { generated_resume: 'resume' };

/** As foreign keys are checked: with the owner's rights, for a lock on a record needs more than leave to read it. */
const RIGHTS = 'LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp';

const quarantineOf = ({ schema, name }: TableName): TableName => ({ schema, name: `${name.slice(0, 50)}_quarantine` });

/** The document's columns, as it declares them. */
const COLUMNS: readonly (readonly [string, string])[] = [
  ['uuid', 'UUID NOT NULL DEFAULT gen_random_uuid()'],
  ['embedding_type', `VARCHAR(50) NOT NULL DEFAULT 'full'`],
  ['chunk_index', 'INTEGER DEFAULT 0'],
  ['metadata_json', 'TEXT'],
  ['created_at', 'TIMESTAMP DEFAULT NOW()'],
  ['updated_at', 'TIMESTAMP DEFAULT NOW()'],
];

/**
 * Everything that turns a polymorphic table into the document's Solution 2, and what that lacks. Each step may run again:
 * what is there already is left alone. All of them are meant for one transaction.
 */
export function constrainSteps(parts: ConstrainParts): ConstrainStep[] {
  return [...cleaning(parts), ...columns(parts), ...constraints(parts), ...indexes(parts), ...triggers(parts)];
}

function column(table: LegacyTable, role: 'entityType' | 'entityId' | 'pointId'): string {
  return quoted(table.roles[role]?.name ?? '');
}

const typeList = (parents: readonly Parent[]): string => parents.map(({ kind }) => literal(kind)).join(', ');

function cleaning({ table, parents }: ConstrainParts): ConstrainStep[] {
  const [type, id, point] = [column(table, 'entityType'), column(table, 'entityId'), column(table, 'pointId')];
  const quarantine = sqlName(quarantineOf(table));
  const isText = table.roles.entityId?.family === 'text';
  const isPointText = table.roles.pointId?.family === 'text';
  const record = (parent: Parent): string =>
    `(t.${type}::text = ${literal(parent.kind)} AND EXISTS (SELECT 1 FROM ${sqlName(parent.table)} p WHERE p.id::text = t.${id}::text))`;
  const embeddingType = table.roles.embeddingType && quoted(table.roles.embeddingType.name);
  const reasons: readonly (readonly [string, string])[] = [
    ['no_entity_type', `t.${type} IS NULL`],
    ['unknown_entity_type', `t.${type}::text NOT IN (${typeList(parents)})`],
    ['no_entity_id', `t.${id} IS NULL`],
    ...(isText
      ? [
          [
            'bad_entity_id',
            `CASE WHEN t.${id}::text ~ '^-?[0-9]{1,10}$' THEN t.${id}::text::bigint NOT BETWEEN -2147483648 AND 2147483647 ELSE true END`,
          ] as const,
        ]
      : []),
    ['no_point_id', `t.${point} IS NULL`],
    ...(isPointText ? [['bad_point_id', `t.${point}::text !~* '^[0-9a-f]{4}(-?[0-9a-f]{4}){7}$'`] as const] : []),
    ['no_parent', `NOT (${parents.map(record).join(' OR ')})`],
  ];
  const key = quoted(table.key.name);
  const move = (reason: string, condition: string): string =>
    `WITH moved AS (DELETE FROM ${table.sql} t WHERE ${condition} RETURNING t.*)
INSERT INTO ${quarantine} (reason, row) SELECT ${literal(reason)}, to_jsonb(moved) FROM moved`;
  const locked = [table.sql, ...new Set(parents.map((parent) => sqlName(parent.table)))].join(', ');
  return [
    { title: 'Nobody writes while this happens', sql: `LOCK TABLE ${locked} IN SHARE ROW EXCLUSIVE MODE` },
    {
      title: 'Rows that break a rule are kept here, whole',
      sql: `CREATE TABLE IF NOT EXISTS ${quarantine} (
  id BIGSERIAL PRIMARY KEY, reason TEXT NOT NULL, row JSONB NOT NULL, quarantined_at TIMESTAMPTZ NOT NULL DEFAULT now()
)`,
    },
    ...reasons.map(([reason, condition]) => ({ title: `Quarantine: ${reason}`, sql: move(reason, condition) })),
    {
      title: 'Quarantine: shared_point, but for the first row of each',
      sql: move(
        'shared_point',
        `EXISTS (SELECT 1 FROM ${table.sql} o WHERE o.${point} = t.${point} AND o.${key} < t.${key})`,
      ),
    },
    ...(embeddingType
      ? [
          {
            title: 'An embedding without a type is one of the whole text',
            sql: `UPDATE ${table.sql} SET ${embeddingType} = 'full' WHERE ${embeddingType} IS NULL`,
          },
        ]
      : []),
  ];
}

function columns({ table }: ConstrainParts): ConstrainStep[] {
  const [type, id, point] = [column(table, 'entityType'), column(table, 'entityId'), column(table, 'pointId')];
  const alter = (title: string, change: string): ConstrainStep => ({
    title,
    sql: `ALTER TABLE ${table.sql} ${change}`,
  });
  const converted: ConstrainStep[] = [];
  if (table.roles.entityId?.type !== 'integer') {
    converted.push(alter('Ids are integers', `ALTER COLUMN ${id} TYPE INTEGER USING ${id}::text::integer`));
  }
  if (table.roles.pointId?.family !== 'uuid') {
    converted.push(alter('Point ids are UUIDs', `ALTER COLUMN ${point} TYPE UUID USING ${point}::text::uuid`));
  }
  if (table.roles.entityType?.type !== 'character varying(50)') {
    converted.push(alter('Entity types are short', `ALTER COLUMN ${type} TYPE VARCHAR(50)`));
  }
  return [
    ...COLUMNS.map(([name, declaration]) =>
      alter(`Column ${name}`, `ADD COLUMN IF NOT EXISTS ${quoted(name)} ${declaration}`),
    ),
    ...converted,
    alter('Never null: entity_type', `ALTER COLUMN ${type} SET NOT NULL`),
    alter('Never null: entity_id', `ALTER COLUMN ${id} SET NOT NULL`),
    alter('Never null: qdrant_point_id', `ALTER COLUMN ${point} SET NOT NULL`),
    alter('Never null: embedding_type', `ALTER COLUMN ${embeddingTypeOf(table)} SET NOT NULL`),
  ];
}

const embeddingTypeOf = (table: LegacyTable): string => quoted(table.roles.embeddingType?.name ?? 'embedding_type');

function constraints({ table, parents }: ConstrainParts): ConstrainStep[] {
  const type = column(table, 'entityType');
  const unique = (title: string, name: string): ConstrainStep[] =>
    table.columns.some((one) => one.name === name && one.isUnique)
      ? []
      : [
          {
            title,
            sql: `ALTER TABLE ${table.sql} ADD CONSTRAINT ${quoted(`uq_${table.name}_${name}`)} UNIQUE (${quoted(name)})`,
          },
        ];
  return [
    ...unique('Every row has a uuid of its own', 'uuid'),
    ...unique('Every point belongs to one row', table.roles.pointId?.name ?? ''),
    { title: 'The old check, if any', sql: `ALTER TABLE ${table.sql} DROP CONSTRAINT IF EXISTS chk_entity_type` },
    {
      title: 'Entity types are those that there are',
      sql: `ALTER TABLE ${table.sql} ADD CONSTRAINT chk_entity_type CHECK (${type} IN (${typeList(parents)}))`,
    },
  ];
}

function indexes({ table, parents }: ConstrainParts): ConstrainStep[] {
  const [type, id, point] = [column(table, 'entityType'), column(table, 'entityId'), column(table, 'pointId')];
  return [
    ...parents.map(({ kind }) => ({
      title: `Look-ups by ${kind}`,
      sql: `CREATE INDEX IF NOT EXISTS ${quoted(`idx_${table.name}_${INDEX_NAMES[kind] ?? kind}`)} ON ${table.sql} (${id}) WHERE ${type} = ${literal(kind)}`,
    })),
    {
      title: 'Look-ups by point',
      sql: `CREATE INDEX IF NOT EXISTS ${quoted(`idx_${table.name}_qdrant_id`)} ON ${table.sql} (${point})`,
    },
    {
      title: 'Look-ups by embedding type',
      sql: `CREATE INDEX IF NOT EXISTS ${quoted(`idx_${table.name}_type`)} ON ${table.sql} (${embeddingTypeOf(table)})`,
    },
  ];
}

function triggers(parts: ConstrainParts): ConstrainStep[] {
  return [...validation(parts), ...parts.parents.flatMap((parent) => deletion(parts, parent)), ...touching(parts)];
}

/**
 * A parent is locked until the row is committed: without it, a parent that is deleted at the same moment, unseen by
 * either side, leaves an orphan. FOR KEY SHARE is what foreign keys take: it keeps only deletes and changes of ids out.
 */
function validation({ table, parents }: ConstrainParts): ConstrainStep[] {
  const [type, id] = [column(table, 'entityType'), column(table, 'entityId')];
  const name = quoted(table.schema, 'validate_vector_embedding_entity');
  const branches = parents.map(
    (parent) => `  WHEN ${literal(parent.kind)} THEN
    PERFORM 1 FROM ${sqlName(parent.table)} p WHERE p.id = NEW.${id} FOR KEY SHARE;
    IF NOT FOUND THEN
      RAISE EXCEPTION '${parent.label} with id % does not exist', NEW.${id} USING ERRCODE = 'foreign_key_violation';
    END IF;`,
  );
  return [
    {
      title: 'A row’s record exists, and stays until the row is there',
      sql: `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger ${RIGHTS} AS $$
BEGIN
  CASE NEW.${type}
${branches.join('\n')}
  -- The check constraint refuses any other type.
  ELSE NULL;
  END CASE;
  RETURN NEW;
END
$$`,
    },
    {
      title: 'It is looked at with every insert and every change of it',
      sql: `CREATE OR REPLACE TRIGGER trg_validate_vector_embedding_entity
BEFORE INSERT OR UPDATE OF ${type}, ${id} ON ${table.sql}
FOR EACH ROW EXECUTE FUNCTION ${name}()`,
    },
  ];
}

/** With a record go its rows; a record that gets another id takes them along. */
function deletion({ table }: ConstrainParts, parent: Parent): ConstrainStep[] {
  const [type, id] = [column(table, 'entityType'), column(table, 'entityId')];
  const name = quoted(table.schema, `follow_${parent.kind}_of_vector_embeddings`);
  const trigger = `trg_${parent.kind}_of_vector_embeddings`;
  const on = (suffix: string, when: string, referencing: string, each: string): string =>
    `CREATE OR REPLACE TRIGGER ${trigger}_${suffix} ${when} ON ${sqlName(parent.table)} ${referencing} ${each} EXECUTE FUNCTION ${name}()`;
  return [
    {
      title: `Rows follow their ${parent.kind}`,
      sql: `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger ${RIGHTS} AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    UPDATE ${table.sql} SET ${id} = NEW.id WHERE ${type} = ${literal(parent.kind)} AND ${id} = OLD.id;
    RETURN NULL;
  ELSIF TG_OP = 'TRUNCATE' THEN
    DELETE FROM ${table.sql} WHERE ${type} = ${literal(parent.kind)};
    RETURN NULL;
  END IF;
  -- A transaction that sees an older state cannot see rows that were written since, and would leave them behind.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'Records with embeddings are deleted under READ COMMITTED, not %', current_setting('transaction_isolation')
      USING ERRCODE = 'serialization_failure',
        HINT = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED';
  END IF;
  DELETE FROM ${table.sql} e USING old_rows o WHERE e.${type} = ${literal(parent.kind)} AND e.${id} = o.id;
  RETURN NULL;
END
$$`,
    },
    {
      title: `… when it is deleted`,
      sql: on('delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS old_rows', 'FOR EACH STATEMENT'),
    },
    { title: `… when its table is emptied`, sql: on('truncate', 'BEFORE TRUNCATE', '', 'FOR EACH STATEMENT') },
    {
      title: `… when its id changes`,
      sql: on('id', 'AFTER UPDATE OF id', '', 'FOR EACH ROW WHEN (OLD.id IS DISTINCT FROM NEW.id)'),
    },
  ];
}

function touching({ table }: ConstrainParts): ConstrainStep[] {
  const name = quoted(table.schema, 'touch_vector_embedding');
  const updatedAt = quoted(table.roles.updatedAt?.name ?? 'updated_at');
  return [
    {
      title: 'updated_at is the time of the last change',
      sql: `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.${updatedAt} := now();
  RETURN NEW;
END
$$`,
    },
    {
      title: '… whoever makes it',
      sql: `CREATE OR REPLACE TRIGGER trg_touch_vector_embedding BEFORE UPDATE ON ${table.sql}
FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION ${name}()`,
    },
  ];
}

import { wholeTextType, type LegacyKind } from './legacy-kinds';
import type { LegacyColumn, LegacyTable } from './legacy-table';
import type { MoveSettings } from './move-settings';
import { caseOf, literal, quoted } from './sql-text';

/** Why a row cannot move. */
export const quarantineReasons = {
  no_entity_type: 'entity_type is null',
  unknown_entity_type: 'entity_type names no kind of record; map it with --map-type FROM=TO',
  no_entity_id: 'entity_id is null',
  bad_entity_id: 'entity_id is not a number that an id can be',
  no_parent: 'there is no such record',
  no_point_id: 'qdrant_point_id is null',
  bad_point_id: 'qdrant_point_id is not a UUID',
  unknown_embedding_type: 'embedding_type is none of its kind’s; map it with --map-embedding FROM=TO',
  bad_chunk_index: 'chunk_index is negative or not a number',
  missing_point: 'Qdrant has no such point; --reembed would move the row',
  duplicate_chunk: 'another row has this record, embedding type and chunk',
  shared_point: 'another row has this point',
  superseded: 'it was moved; since then its record’s text changed, and has fewer chunks',
} as const;

export type QuarantineReason = keyof typeof quarantineReasons;

/** Under which names the extras keep types that are called otherwise here; no column is called like that. */
export const ORIGINAL_TYPE = ' entity type';
export const ORIGINAL_EMBEDDING = ' embedding type';
/** Says that metadata which is a string was a JSON string, not text. */
export const IS_JSON_STRING = ' json string';

const EXACT_TIMES: readonly string[] = ['timestamp with time zone', 'timestamp without time zone'];

const LARGEST_INTEGER = 2_147_483_647;

/**
 * What a row of the polymorphic table comes to, column by column, as SQL over its alias `l`. Everything that copies,
 * compares, shows or writes back rows is made from these.
 */
export class RowSql {
  constructor(
    readonly table: LegacyTable,
    readonly settings: Omit<MoveSettings, 'vectorHome'>,
    readonly kinds: readonly LegacyKind[],
    /** Kinds whose records cannot be looked up, because their table is not there. */
    private readonly absentKinds: ReadonlySet<string> = new Set(),
  ) {}

  private column(column: LegacyColumn | undefined): string | undefined {
    return column && `l.${quoted(column.name)}`;
  }

  private required(role: 'entityType' | 'entityId' | 'pointId'): string {
    return this.column(this.table.roles[role]) as string;
  }

  get key(): string {
    return `l.${quoted(this.table.key.name)}`;
  }

  get keyText(): string {
    return `${this.key}::text`;
  }

  /**
   * The key that a typed row has in the polymorphic view: its own where it was moved, else one that no moved row has.
   * Unique over all typed tables; an index of each holds it.
   */
  viewId(kind: LegacyKind, alias: string): string {
    const { type, family } = this.table.key;
    // Kinds are fewer than eight, so no two rows share a negative number.
    if (family === 'integer' || family === 'number') {
      return `coalesce(${alias}.legacy_key::${type}, (-(${alias}.id::bigint * 8 + ${kind.ordinal}))::${type})`;
    }
    return `coalesce(${alias}.legacy_key::${type}, ${alias}.uuid::${type})`;
  }

  get entityType(): string {
    return `${this.required('entityType')}::text`;
  }

  /** Name of the kind; null for none. */
  get kind(): string {
    const own = this.kinds.map(({ kind }) => [literal(kind), literal(kind)] as const);
    const mapped = Object.entries(this.settings.entityTypes).map(([from, to]) => [literal(from), literal(to)] as const);
    return caseOf(this.entityType, [...mapped, ...own]);
  }

  /** Whether `entity_id` can name a record at all. */
  get isEntityIdValid(): string {
    return this.settings.matchBy === 'external_id' ? 'true' : `${this.entityKey} IS NOT NULL`;
  }

  get isEntityIdGiven(): string {
    return `${this.required('entityId')} IS NOT NULL`;
  }

  /** `entity_id` in the type of the parent's column that it holds; null when it cannot be. */
  get entityKey(): string {
    const { roles } = this.table;
    const column = this.required('entityId');
    switch (this.settings.matchBy) {
      case 'id':
        return integerOf(column, roles.entityId?.family === 'text' ? 'text' : (roles.entityId?.family ?? 'other'));
      case 'uuid':
        return uuidOf(column, roles.entityId?.family);
      case 'external_id':
        return `${column}::text`;
    }
  }

  /** Id of the record, by the kind `kind`; null when there is none. */
  parentId(kind: string): string {
    return caseOf(
      kind,
      this.kinds
        .filter((one) => !this.absentKinds.has(one.kind))
        .map((one) => [
          literal(one.kind),
          `(SELECT p.id FROM ${one.parentTable} p WHERE p.${this.settings.matchBy} = ${this.entityKey})`,
        ]),
      'NULL::integer',
    );
  }

  get isPointGiven(): string {
    return `${this.required('pointId')} IS NOT NULL`;
  }

  get pointId(): string {
    return uuidOf(this.required('pointId'), this.table.roles.pointId?.family);
  }

  /** As it is to be stored for a row of `kind`; its whole text's where there is none. */
  embeddingType(kind: string): string {
    const whole = caseOf(
      kind,
      this.kinds.map((one) => [literal(one.kind), literal(wholeTextType(one))]),
    );
    const column = this.column(this.table.roles.embeddingType);
    if (column === undefined) return whole;
    const given = `nullif(btrim(${column}::text), '')`;
    const mapped = Object.entries(this.settings.embeddingTypes).map(
      ([from, to]) => [literal(from), literal(to)] as const,
    );
    return `coalesce(${caseOf(given, mapped, given)}, ${whole})`;
  }

  isEmbeddingTypeKnown(kind: string, type: string): string {
    return caseOf(
      kind,
      this.kinds.map((one) => [literal(one.kind), `${type} IN (${one.types.map(literal).join(', ')})`]),
      'true',
    );
  }

  /** Null where it has to be numbered. */
  get chunkIndex(): string {
    const column = this.table.roles.chunkIndex;
    return column ? integerOf(this.column(column) as string, column.family) : 'NULL::integer';
  }

  get isChunkGiven(): string {
    const column = this.column(this.table.roles.chunkIndex);
    return column === undefined ? 'false' : `${column} IS NOT NULL`;
  }

  /** Text that is not JSON becomes a JSON string. */
  get metadata(): string {
    const column = this.table.roles.metadata;
    const value = this.column(column);
    if (!column || value === undefined) return 'NULL::jsonb';
    if (column.family === 'jsonb') return value;
    const text = `${value}::text`;
    return `CASE WHEN ${value} IS NULL THEN NULL WHEN pg_input_is_valid(${text}, 'jsonb') THEN ${text}::jsonb ELSE to_jsonb(${text}) END`;
  }

  /** Null where the table has none. */
  get createdAt(): string {
    return this.instant(this.table.roles.createdAt);
  }

  get updatedAt(): string {
    return this.instant(this.table.roles.updatedAt);
  }

  get uuid(): string {
    return this.column(this.table.roles.uuid) ?? 'NULL::uuid';
  }

  /** Values of columns that have no place elsewhere, as one JSON object. */
  get extra(): string {
    const pairs = this.table.extras.map(({ name }) => `${literal(name)}, to_jsonb(l.${quoted(name)})`);
    // What is called otherwise here can be shown by its own name again.
    if (Object.keys(this.settings.entityTypes).length > 0) {
      pairs.push(`${literal(ORIGINAL_TYPE)}, ${this.entityType}`);
    }
    const embeddingType = this.column(this.table.roles.embeddingType);
    if (embeddingType !== undefined && Object.keys(this.settings.embeddingTypes).length > 0) {
      pairs.push(`${literal(ORIGINAL_EMBEDDING)}, ${embeddingType}::text`);
    }
    const extra = pairs.length === 0 ? 'NULL::jsonb' : `jsonb_build_object(${pairs.join(', ')})`;
    const isString = this.isJsonString;
    if (isString === undefined) return extra;
    const mark = `jsonb_build_object(${literal(IS_JSON_STRING)}, true)`;
    return `CASE WHEN ${isString} THEN ${pairs.length === 0 ? mark : `${extra} || ${mark}`} ELSE ${extra} END`;
  }

  /** Text that is a JSON string becomes the same as text that is none; nothing in what is stored tells them apart. */
  private get isJsonString(): string | undefined {
    const column = this.table.roles.metadata;
    const value = this.column(column);
    if (!column || value === undefined || column.family === 'jsonb') return undefined;
    const text = `${value}::text`;
    return `ltrim(${text}, E' \\t\\n\\r') LIKE '"%' AND pg_input_is_valid(${text}, 'jsonb')`;
  }

  /** A stored time as it comes back from the table's column, which may hold days or whole seconds only. */
  asKept(role: 'createdAt' | 'updatedAt', instant: string): string {
    const column = this.table.roles[role];
    if (!column || EXACT_TIMES.includes(column.type)) return instant;
    const zone = literal(this.settings.timeZone);
    switch (column.family) {
      case 'timestamptz':
        return `${instant}::${column.type}`;
      case 'timestamp':
        return `(${instant} AT TIME ZONE ${zone})::${column.type} AT TIME ZONE ${zone}`;
      case 'date':
        return `(${instant} AT TIME ZONE ${zone})::date::timestamp AT TIME ZONE ${zone}`;
      default:
        return instant;
    }
  }

  private instant(column: LegacyColumn | undefined): string {
    const value = this.column(column);
    if (!column || value === undefined) return 'NULL::timestamptz';
    const zone = literal(this.settings.timeZone);
    switch (column.family) {
      case 'timestamptz':
        return value;
      case 'timestamp':
        return `${value} AT TIME ZONE ${zone}`;
      case 'date':
        return `${value}::timestamp AT TIME ZONE ${zone}`;
      default: {
        const text = `${value}::text`;
        return `CASE WHEN pg_input_is_valid(${text}, 'timestamp') THEN ${text}::timestamp AT TIME ZONE ${zone} END`;
      }
    }
  }

  /** The first reason for which the row cannot move by itself; null when there is none. Over the names of `resolved`. */
  reason(resolved: { kind: string; parentId: string; pointId: string; embeddingType: string; chunk: string }): string {
    const checks: readonly (readonly [string, QuarantineReason])[] = [
      [`${this.required('entityType')} IS NULL`, 'no_entity_type'],
      [`${resolved.kind} IS NULL`, 'unknown_entity_type'],
      [`NOT ${this.isEntityIdGiven}`, 'no_entity_id'],
      [`NOT (${this.isEntityIdValid})`, 'bad_entity_id'],
      [`${resolved.parentId} IS NULL`, 'no_parent'],
      [`NOT ${this.isPointGiven}`, 'no_point_id'],
      [`${resolved.pointId} IS NULL`, 'bad_point_id'],
      [`NOT (${this.isEmbeddingTypeKnown(resolved.kind, resolved.embeddingType)})`, 'unknown_embedding_type'],
      [`(${this.isChunkGiven}) AND coalesce(${resolved.chunk}, -1) < 0`, 'bad_chunk_index'],
    ];
    return `CASE ${checks.map(([condition, reason]) => `WHEN ${condition} THEN ${literal(reason)}`).join(' ')} END`;
  }
}

function integerOf(value: string, family: LegacyColumn['family']): string {
  const bounds = `BETWEEN -${LARGEST_INTEGER} AND ${LARGEST_INTEGER}`;
  switch (family) {
    case 'integer':
      return `CASE WHEN ${value} ${bounds} THEN ${value}::integer END`;
    case 'number':
      return `CASE WHEN ${value} ${bounds} AND ${value} = trunc(${value}::numeric) THEN ${value}::integer END`;
    case 'text':
      return `CASE WHEN pg_input_is_valid(${value}::text, 'integer') THEN ${value}::text::integer END`;
    default:
      return 'NULL::integer';
  }
}

function uuidOf(value: string, family: LegacyColumn['family'] | undefined): string {
  if (family === 'uuid') return value;
  return family === 'text'
    ? `CASE WHEN pg_input_is_valid(${value}::text, 'uuid') THEN ${value}::text::uuid END`
    : 'NULL::uuid';
}

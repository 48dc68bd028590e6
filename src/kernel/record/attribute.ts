import { GraphQLJSON } from 'graphql-scalars';
import { Field, Float, GraphQLISODateTime, ID, Int, registerEnumType } from 'type-graphql';
import { Column, type ColumnOptions } from 'typeorm';
import type { ZodType } from 'zod';

/** A GraphQL type that a field may have: a scalar, or a class known to type-graphql. */
export type GraphQLTypeRef = object;

export type AttributeType =
  | 'string' // varchar(maxLength)
  | 'text'
  | 'integer'
  | 'float'
  | 'boolean'
  | 'datetime' // timestamptz
  | 'partialDate' // ISO 8601 date that may stop at the year or the month: 2019, 2019-04, 2019-04-30
  | 'uuid'
  | 'choice' // varchar with a CHECK, a GraphQL enum
  | 'strings' // text[]
  | 'json'; // jsonb, shaped by `shape`

/** The values that a `choice` can have. */
export interface Choices {
  /** As stored; the GraphQL enum has them in capitals. */
  values: readonly string[];
  enumType: object;
}

export function defineChoices(name: string, description: string, values: Readonly<Record<string, string>>): Choices {
  const stored = Object.keys(values);
  const constant = (value: string): string => value.toUpperCase();
  const enumType = Object.fromEntries(stored.map((value) => [constant(value), value]));
  const valuesConfig = Object.fromEntries(
    stored.map((value) => [constant(value), { description: values[value] ?? '' }]),
  );
  registerEnumType(enumType, { name, description, valuesConfig });
  return { values: stored, enumType };
}

export interface AttributeOptions {
  type: AttributeType;
  choices?: Choices;
  /** SQL column; the property in snake_case unless given. */
  column?: string;
  maxLength?: number;
  isNullable?: boolean;
  /** Whether lists and searches can filter by it; then it is mirrored in every point's payload. */
  isFilterable?: boolean;
  isOrderable?: boolean;
  /** When clients may set it. Default `always`. */
  writable?: 'always' | 'create' | 'never';
  default?: number | boolean | string;
  /** Says how the record is treated rather than what it is: an import that does not give it leaves it as it is. */
  isSetting?: boolean;
  /** GraphQL output and input classes of a `json` attribute that is a list. */
  shape?: { output: () => GraphQLTypeRef; input: () => GraphQLTypeRef };
  /** A further check on what a client sends; its message follows the field's name. */
  validate?: ZodType;
  /** What a filter sees, when it is not the value itself. */
  filterValue?: (value: unknown) => string[];
  /** The same as an SQL array expression over alias `t`. */
  filterSql?: string;
  description?: string;
}

export interface ReferenceOptions {
  /** Kind of the record it points to. */
  kind: string;
  column: string;
  isNullable?: boolean;
  /** Name of the field that resolves it, e.g. `profile` for `profileId`. */
  field: string;
  description?: string;
}

export interface AttributeMeta extends AttributeOptions {
  property: string;
  column: string;
  reference?: ReferenceOptions;
}

const attributesByClass = new Map<object, AttributeMeta[]>();

function register(prototype: object, meta: AttributeMeta): void {
  const own = attributesByClass.get(prototype);
  if (own) own.push(meta);
  else attributesByClass.set(prototype, [meta]);
}

/** All attributes of a record class, inherited ones first, in the order they are written. */
export function attributesOf(recordClass: { prototype: object }): AttributeMeta[] {
  const chain: AttributeMeta[][] = [];
  for (let p: object | null = recordClass.prototype; p; p = Object.getPrototypeOf(p) as object | null) {
    const own = attributesByClass.get(p);
    if (own) chain.unshift(own);
  }
  return chain.flat();
}

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const PARTIAL_DATE_LENGTH = 10;
const CHOICE_LENGTH = 30;

function columnOptions(meta: AttributeMeta): ColumnOptions {
  const base: ColumnOptions = { name: meta.column, nullable: meta.isNullable ?? false };
  if (meta.default !== undefined) base.default = meta.default;
  switch (meta.type) {
    case 'string':
      return { ...base, type: 'varchar', length: meta.maxLength ?? 200 };
    case 'text':
      return { ...base, type: 'text' };
    case 'integer':
      return { ...base, type: 'integer' };
    case 'float':
      return { ...base, type: 'double precision' };
    case 'boolean':
      return { ...base, type: 'boolean' };
    case 'datetime':
      return { ...base, type: 'timestamptz' };
    case 'partialDate':
      return { ...base, type: 'varchar', length: PARTIAL_DATE_LENGTH };
    case 'uuid':
      return { ...base, type: 'uuid' };
    case 'choice':
      return { ...base, type: 'varchar', length: CHOICE_LENGTH };
    case 'strings':
      return { ...base, type: 'text', array: true, default: '{}' };
    case 'json':
      return { ...base, type: 'jsonb', default: '[]' };
  }
}

/** The GraphQL type of an attribute's value. */
export function graphqlTypeOf(meta: AttributeMeta, direction: 'output' | 'input'): () => GraphQLTypeRef {
  if (meta.reference) return () => ID;
  switch (meta.type) {
    case 'integer':
      return () => Int;
    case 'float':
      return () => Float;
    case 'boolean':
      return () => Boolean;
    case 'datetime':
      return () => GraphQLISODateTime;
    case 'uuid':
      return () => ID;
    case 'choice': {
      const enumType = meta.choices?.enumType ?? String;
      return () => enumType;
    }
    case 'strings':
      return () => [String];
    case 'json': {
      const shape = meta.shape?.[direction];
      return shape ? () => [shape()] : () => GraphQLJSON;
    }
    case 'string':
    case 'text':
    case 'partialDate':
      return () => String;
  }
}

/** Declares a field once: its column, its GraphQL field, and what clients may do with it. */
export function Attribute(options: AttributeOptions): PropertyDecorator {
  return (prototype, key) => {
    const property = String(key);
    const meta: AttributeMeta = { ...options, property, column: options.column ?? snakeCase(property) };
    register(prototype, meta);
    Column(columnOptions(meta))(prototype, property);
    Field(graphqlTypeOf(meta, 'output') as () => typeof String, {
      nullable: meta.isNullable ?? false,
      description: meta.description,
    })(prototype, property);
  };
}

/** Declares a foreign key to another record. Clients write it as a global id; the record itself is `options.field`. */
export function Reference(options: ReferenceOptions): PropertyDecorator {
  return (prototype, key) => {
    const property = String(key);
    const isNullable = options.isNullable ?? false;
    register(prototype, {
      type: 'integer',
      property,
      column: options.column,
      isNullable,
      isFilterable: true,
      reference: options,
      description: options.description,
    });
    Column({ name: options.column, type: 'integer', nullable: isNullable })(prototype, property);
  };
}

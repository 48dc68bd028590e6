import { ArgsType, Field, Float, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';

import type { RowRecordNames } from '../embedding/embedding-spec';
import { graphqlTypeOf, type AttributeMeta, type GraphQLTypeRef } from '../record/attribute';
import { filterFields } from '../record/filter-fields';
import type { RecordKind } from '../record/record-spec';
import { nestedLists } from '../record/record-writer';
import type { KindRegistry } from '../record/registry';
import { ArchivedFilter, filterTypeOf, OrderDirection } from './input-types';
import { PageInfo } from './shared-types';

export type TypeClass = new () => object;

/** The GraphQL types that one kind of record brings with it, all made from its spec. */
export interface RecordTypes {
  connection: TypeClass;
  searchConnection: TypeClass;
  searchEdge: TypeClass;
  listArguments: TypeClass;
  lookupArguments: TypeClass;
  searchFilter: TypeClass;
  createInput: TypeClass;
  updateInput: TypeClass;
  payload: TypeClass;
  embeddingType?: object;
  rows?: RowTypes;
}

/** The same for embedding rows that are records of their own. */
export interface RowTypes {
  connection: TypeClass;
  searchConnection: TypeClass;
  searchEdge: TypeClass;
  /** The conditions of the source's filter. */
  searchFilter: TypeClass;
  payload: TypeClass;
}

/** What the filter of rows calls the ids of their sources, e.g. `storyIds`. */
export const sourceIdsName = (rowAs: RowRecordNames): string => `${rowAs.source}Ids`;

/** What a mutation's payload calls a row, e.g. `storyChunk`. */
export const rowField = ({ short }: RowRecordNames): string => short.charAt(0).toLowerCase() + short.slice(1);

interface FieldOptions {
  nullable?: boolean;
  description?: string;
  defaultValue?: unknown;
}

function addField(target: TypeClass, name: string, type: () => GraphQLTypeRef, options: FieldOptions = {}): void {
  Field(type as () => typeof String, options)(target.prototype as object, name);
}

/** A class of its own for each call, so that type-graphql can tell the types apart. */
function makeClass(decorate: (target: TypeClass) => void): TypeClass {
  const made = class {};
  decorate(made);
  return made;
}

const objectType = (name: string, description: string): TypeClass =>
  makeClass((target) => ObjectType(name, { description })(target));
const inputType = (name: string, description: string): TypeClass =>
  makeClass((target) => InputType(name, { description })(target));

/** A connection of nodes and its edge. */
export function connectionTypes(
  stem: string,
  node: () => GraphQLTypeRef,
  description = 'One page of a list.',
): TypeClass {
  const edge = objectType(`${stem}Edge`, 'A node and where it lies in the list.');
  addField(edge, 'cursor', () => String);
  addField(edge, 'node', node);
  const connection = objectType(`${stem}Connection`, description);
  addField(connection, 'edges', () => [edge]);
  addField(connection, 'nodes', () => [node()]);
  addField(connection, 'pageInfo', () => PageInfo);
  addField(connection, 'totalCount', () => Int, { description: 'Of all pages; counted only when asked for.' });
  return connection;
}

function searchTypes(stem: string, node: () => GraphQLTypeRef): { edge: TypeClass; connection: TypeClass } {
  const edge = objectType(`${stem}SearchEdge`, 'A hit: the record, how near it is, and the text that matched.');
  addField(edge, 'cursor', () => String);
  addField(edge, 'score', () => Float, { description: 'In the scale of the mode that was used.' });
  addField(edge, 'node', node);
  const connection = objectType(`${stem}SearchConnection`, 'One page of hits, best first.');
  addField(connection, 'edges', () => [edge]);
  addField(connection, 'nodes', () => [node()]);
  addField(connection, 'pageInfo', () => PageInfo);
  addField(connection, 'totalCount', () => Int, {
    description: 'Records that pass the filter and so take part in the ranking; counted only when asked for.',
  });
  return { edge, connection };
}

function payloadType(stem: string, description: string, field: string, node: () => GraphQLTypeRef): TypeClass {
  const payload = objectType(`${stem}Payload`, description);
  addField(payload, field, node);
  addField(payload, 'syncToken', () => String, {
    description: 'Pass it to `awaitSync` to search only once this write is in.',
  });
  return payload;
}

function filterType(kind: RecordKind, short = kind.names.short, idsName = 'ids'): TypeClass {
  const target = inputType(`${short}Filter`, `Which ${kind.names.plural}. All given conditions must hold.`);
  addField(target, idsName, () => [ID], { nullable: true });
  for (const field of filterFields(kind)) {
    addField(target, field.field, () => filterTypeOf(field.type), { nullable: true, description: field.description });
  }
  addField(target, 'and', () => [target], { nullable: true });
  addField(target, 'or', () => [target], { nullable: true });
  addField(target, 'not', () => target, { nullable: true });
  addField(target, 'archived', () => ArchivedFilter, {
    nullable: true,
    description: 'EXCLUDE unless given; top level only.',
  });
  return target;
}

function orderType(kind: RecordKind): TypeClass {
  const properties = [
    'id',
    'createdAt',
    'updatedAt',
    ...kind.attributes.filter((a) => a.isOrderable).map((a) => a.property),
  ];
  const fields = Object.fromEntries(
    properties.map((property) => [property.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase(), property]),
  );
  registerEnumType(fields, {
    name: `${kind.names.short}OrderField`,
    description: `What a list of ${kind.names.plural} can be ordered by; ID is the order of creation.`,
  });
  const target = inputType(`${kind.names.short}Order`, `Order of a list of ${kind.names.plural}.`);
  addField(target, 'field', () => fields);
  addField(target, 'direction', () => OrderDirection, { nullable: true, defaultValue: OrderDirection.ASC });
  return target;
}

function listArguments(filter: TypeClass, order: TypeClass): TypeClass {
  return makeClass((target) => {
    addField(target, 'first', () => Int, { nullable: true, description: 'At most 200; 20 unless given.' });
    addField(target, 'after', () => String, { nullable: true });
    addField(target, 'last', () => Int, { nullable: true });
    addField(target, 'before', () => String, { nullable: true });
    addField(target, 'filter', () => filter, { nullable: true });
    addField(target, 'orderBy', () => order, { nullable: true });
    ArgsType()(target);
  });
}

function lookupArguments(kind: RecordKind): TypeClass {
  return makeClass((target) => {
    addField(target, 'id', () => ID, { nullable: true });
    for (const name of kind.lookup?.arguments ?? []) addField(target, name, () => String, { nullable: true });
    addField(target, 'externalId', () => String, { nullable: true });
    ArgsType()(target);
  });
}

function addInputFields(
  target: TypeClass,
  attributes: readonly AttributeMeta[],
  action: 'create' | 'update',
  omitted?: string,
): void {
  addField(target, 'externalId', () => String, {
    nullable: true,
    description: 'Your own key for it; unique per type.',
  });
  for (const attribute of attributes) {
    if (attribute.property === omitted || attribute.writable === 'never') continue;
    if (action === 'update' && attribute.writable === 'create') continue;
    const isOptional =
      action === 'update' ||
      attribute.isNullable === true ||
      attribute.default !== undefined ||
      attribute.type === 'strings' ||
      attribute.type === 'json';
    addField(target, attribute.property, graphqlTypeOf(attribute, 'input'), {
      nullable: isOptional,
      description: attribute.description,
    });
  }
}

function rowTypes(kind: RecordKind): RowTypes | undefined {
  const spec = kind.embedding;
  if (!spec?.rowAs) return undefined;
  const { edge, connection } = searchTypes(spec.rowAs.short, () => spec.entity);
  const node = (): GraphQLTypeRef => spec.entity;
  return {
    payload: payloadType(spec.rowAs.short, 'The passage as it is now.', rowField(spec.rowAs), node),
    connection: connectionTypes(spec.rowAs.short, () => spec.entity),
    searchEdge: edge,
    searchConnection: connection,
    searchFilter: filterType(kind, spec.rowAs.short, sourceIdsName(spec.rowAs)),
  };
}

/** Makes each kind's GraphQL types once. */
export class RecordTypeFactory {
  private readonly made = new Map<RecordKind, RecordTypes>();
  private readonly nested = new Map<RecordKind, TypeClass>();

  constructor(private readonly registry: KindRegistry) {}

  of(kind: RecordKind): RecordTypes {
    let types = this.made.get(kind);
    if (!types) {
      types = this.make(kind);
      this.made.set(kind, types);
    }
    return types;
  }

  private make(kind: RecordKind): RecordTypes {
    const { names } = kind;
    const node = (): GraphQLTypeRef => kind.entity;
    const filter = filterType(kind);
    const search = searchTypes(names.short, node);
    const createInput = inputType(`Create${names.short}Input`, `A new ${names.label}.`);
    addInputFields(createInput, kind.attributes, 'create');
    for (const { child, field, reference } of nestedLists(kind, this.registry)) {
      const nested = this.nestedInput(child, reference);
      addField(createInput, field, () => [nested], { nullable: true, description: 'Created with it, in this order.' });
    }
    const updateInput = inputType(`Update${names.short}Input`, 'Fields left out keep their value.');
    addInputFields(updateInput, kind.attributes, 'update');
    const payload = payloadType(names.short, `The ${names.label} as it is now.`, names.field, node);
    return {
      connection: connectionTypes(names.short, node),
      searchConnection: search.connection,
      searchEdge: search.edge,
      listArguments: listArguments(filter, orderType(kind)),
      lookupArguments: lookupArguments(kind),
      searchFilter: filter,
      createInput,
      updateInput,
      payload,
      embeddingType: this.embeddingTypeEnum(kind),
      rows: rowTypes(kind),
    };
  }

  private nestedInput(child: RecordKind, reference: string): TypeClass {
    let target = this.nested.get(child);
    if (!target) {
      target = inputType(`${child.names.short}Input`, `A ${child.names.label} of a new record.`);
      addInputFields(target, child.attributes, 'create', reference);
      this.nested.set(child, target);
    }
    return target;
  }

  private embeddingTypeEnum(kind: RecordKind): object | undefined {
    if (!kind.embedding) return undefined;
    const values = Object.fromEntries(Object.keys(kind.embedding.types).map((type) => [type.toUpperCase(), type]));
    registerEnumType(values, { name: kind.embedding.enumName, description: `Texts of a ${kind.names.label}.` });
    return values;
  }
}

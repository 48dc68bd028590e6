import fs from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';
import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  print,
  type DefinitionNode,
  type FieldDefinitionNode,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
} from 'graphql';

import { buildKindredSchema } from '../../src/app/schema';
import { recordKinds } from '../../src/features/registry';
import { nestedLists } from '../../src/kernel/record/record-writer';
import { KindRegistry } from '../../src/kernel/record/registry';

const schema = buildKindredSchema();
const registry = new KindRegistry(recordKinds);
const CONTRACT = path.resolve(__dirname, '..', '..', '..', 'shared', 'contract.graphql');

function fieldsOf(type: string): Record<string, GraphQLField<unknown, unknown>> {
  const found = schema.getType(type);
  if (!isObjectType(found) && !isInterfaceType(found)) throw new Error(`${type} is no object type`);
  return found.getFields();
}

const typeOf = (type: string, field: string): string | undefined => fieldsOf(type)[field]?.type.toString();

/** What the outline asks of one field and the schema does not give. */
function missingOfField(owner: GraphQLObjectType | GraphQLInterfaceType, wanted: FieldDefinitionNode): string[] {
  const name = `${owner.name}.${wanted.name.value}`;
  const field = owner.getFields()[wanted.name.value];
  if (!field) return [name];
  const missing: string[] = [];
  if (field.type.toString() !== print(wanted.type)) missing.push(`${name}: ${print(wanted.type)}, not ${field.type}`);
  for (const argument of wanted.arguments ?? []) {
    const label = `${name}(${argument.name.value}:)`;
    const own = field.args.find((one) => one.name === argument.name.value);
    if (!own) missing.push(label);
    else if (own.type.toString() !== print(argument.type)) missing.push(`${label} ${print(argument.type)}`);
    else if (argument.defaultValue && String(own.defaultValue) !== print(argument.defaultValue)) {
      missing.push(`${label} = ${print(argument.defaultValue)}, not ${String(own.defaultValue)}`);
    }
  }
  return missing;
}

function missingOf(definition: DefinitionNode): string[] {
  if (!('name' in definition) || !definition.name) return [];
  const name = definition.name.value;
  const type = schema.getType(name);
  switch (definition.kind) {
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_DEFINITION: {
      if (!isObjectType(type) && !isInterfaceType(type)) return [name];
      const interfaces = type.getInterfaces().map((one) => one.name);
      return [
        ...(definition.interfaces ?? [])
          .filter((one) => !interfaces.includes(one.name.value))
          .map((one) => `${name} implements ${one.name.value}`),
        ...(definition.fields ?? []).flatMap((field) => missingOfField(type, field)),
      ];
    }
    case Kind.INPUT_OBJECT_TYPE_DEFINITION: {
      if (!isInputObjectType(type)) return [name];
      const fields = type.getFields();
      return (definition.fields ?? [])
        .filter((field) => fields[field.name.value]?.type.toString() !== print(field.type))
        .map((field) => `${name}.${field.name.value}`);
    }
    case Kind.ENUM_TYPE_DEFINITION: {
      if (!isEnumType(type)) return [name];
      return (definition.values ?? [])
        .filter((value) => !type.getValue(value.name.value))
        .map((value) => `${name}.${value.name.value}`);
    }
    default:
      return [`${name}: an outline of ${definition.kind} is not compared`];
  }
}

describe('the outline that other programs rely on', () => {
  const outline = fs.existsSync(CONTRACT) ? parse(fs.readFileSync(CONTRACT, 'utf8')) : undefined;
  if (!outline) {
    it.skip('is kept: the outline is not beside this checkout', () => undefined);
    return;
  }

  it('is kept, with every type, field, argument and default', () => {
    expect(outline.definitions.length).toBeGreaterThan(10);
    expect(outline.definitions.flatMap(missingOf)).toEqual([]);
  });
});

describe.each(registry.all.map((kind) => [kind.names.type, kind] as const))('%s', (type, kind) => {
  const { names } = kind;

  it('has its key, its audit fields and every attribute', () => {
    expect(isObjectType(schema.getType(type))).toBe(true);
    expect(typeOf(type, 'id')).toBe('ID!');
    for (const field of ['externalId', 'createdBy', 'updatedBy']) expect(typeOf(type, field)).toBe('String');
    for (const field of ['createdAt', 'updatedAt']) expect(typeOf(type, field)).toBe('DateTimeISO!');
    expect(typeOf(type, 'archivedAt')).toBe('DateTimeISO');
    for (const attribute of kind.attributes) {
      const field = attribute.reference?.field ?? attribute.property;
      expect([field, typeOf(type, field)?.endsWith('!')]).toEqual([field, !attribute.isNullable]);
    }
  });

  it('is listed as a Relay connection', () => {
    expect(typeOf('Query', names.field)).toBe(type);
    expect(typeOf('Query', names.plural)).toBe(`${names.short}Connection!`);
    expect(Object.keys(fieldsOf(`${names.short}Connection`)).sort()).toEqual([
      'edges',
      'nodes',
      'pageInfo',
      'totalCount',
    ]);
    expect(typeOf(`${names.short}Connection`, 'edges')).toBe(`[${names.short}Edge!]!`);
    expect(typeOf(`${names.short}Connection`, 'nodes')).toBe(`[${type}!]!`);
    expect(typeOf(`${names.short}Edge`, 'cursor')).toBe('String!');
    expect(typeOf(`${names.short}Edge`, 'node')).toBe(`${type}!`);
  });

  it('is created, updated, deleted, archived and restored', () => {
    for (const verb of ['create', 'update', 'archive', 'restore']) {
      expect(typeOf('Mutation', `${verb}${names.short}`)).toBe(`${names.short}Payload!`);
    }
    expect(typeOf('Mutation', `delete${names.short}`)).toBe('DeletePayload!');
    expect(typeOf(`${names.short}Payload`, names.field)).toBe(`${type}!`);
    expect(typeOf(`${names.short}Payload`, 'syncToken')).toBe('String!');
    const input = schema.getType(`Create${names.short}Input`);
    for (const { field } of nestedLists(kind, registry)) {
      expect(isInputObjectType(input) && input.getFields()[field]?.type.toString()).toMatch(/^\[\w+!\]$/);
    }
  });

  it('is searched and has embeddings of a type of its own', () => {
    const spec = kind.embedding;
    if (!spec) throw new Error(`${kind.kind} has no embeddings`);
    expect(typeOf(type, 'indexing')).toBe('IndexingStatus!');
    expect(typeOf(type, 'embeddings')).toBe(`[${spec.typeName}!]!`);
    const row = schema.getType(spec.typeName);
    if (!isObjectType(row)) throw new Error(`${spec.typeName} is no object type`);
    expect(row.getInterfaces().map((one) => one.name)).toEqual(expect.arrayContaining(['Node', 'Embedding']));
    const enumType = schema.getType(spec.enumName);
    expect(isEnumType(enumType) && enumType.getValues().map((value) => value.value as string)).toEqual(
      Object.keys(spec.types),
    );
    expect(typeOf('Query', kind.search ?? '')).toBe(`${names.short}SearchConnection!`);
    expect(typeOf(`${names.short}SearchEdge`, 'score')).toBe('Float!');
    expect(typeOf(`${names.short}SearchEdge`, 'evidence')).toBe('[Evidence!]!');
    for (const match of kind.matches ?? []) {
      const target = registry.kind(match.kind).names.short;
      expect(typeOf(type, match.field)).toBe(`${target}SearchConnection!`);
    }
  });
});

it('names every kind in the search across kinds', () => {
  const kinds = schema.getType('EmbeddableKind');
  expect(isEnumType(kinds) && kinds.getValues().map((value) => value.name)).toEqual(
    registry.embeddable.map((kind) => kind.kind.toUpperCase()),
  );
  expect(typeOf('Query', 'search')).toBe('SearchConnection!');
});

it('describes every type', () => {
  const undescribed = Object.values(schema.getTypeMap())
    .filter((type) => !type.name.startsWith('__') && !['Query', 'Mutation', 'Subscription'].includes(type.name))
    .filter((type) => !type.description)
    .map((type) => type.name);
  expect(undescribed).toEqual([]);
});

import { badInput } from '../errors/bad-input';
import type { AttributeMeta } from './attribute';
import { decodeIdOf } from './global-id';
import type { RecordKind } from './record-spec';
import type { KindRegistry } from './registry';
import { isBlank, isStorable, UNSTORABLE_PROBLEM } from './storable-text';

/** What a client sends to create or update a record, by property. */
export type RecordInput = Record<string, unknown>;

/** Checked column values, by property. */
export type RecordValues = Record<string, unknown>;

const DEFAULT_MAX_LENGTH = 200;
const MAX_TEXT_CHARACTERS = 5_000_000;
const MAX_ITEMS = 1000;
const PARTIAL_DATE = /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/;
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws BAD_INPUT for what PostgreSQL cannot store, and for what is too long */
export function checkText(field: string, value: string, maxLength: number): void {
  if (!isStorable(value)) throw badInput(field, UNSTORABLE_PROBLEM);
  if (value.length > maxLength) {
    throw badInput(field, `is ${value.length} characters long; at most ${maxLength} are allowed`);
  }
}

function checkTexts(field: string, value: unknown): void {
  if (Array.isArray(value)) {
    if (value.length > MAX_ITEMS) throw badInput(field, `has ${value.length} items; at most ${MAX_ITEMS} are allowed`);
    value.forEach((item, i) => checkTexts(`${field}[${i}]`, item));
  } else if (typeof value === 'string') {
    checkText(field, value, MAX_TEXT_CHARACTERS);
  } else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) checkTexts(`${field}.${key}`, item);
  }
}

function checkValue(attribute: AttributeMeta, field: string, value: unknown): void {
  switch (attribute.type) {
    case 'string':
      checkText(field, value as string, attribute.maxLength ?? DEFAULT_MAX_LENGTH);
      if (!attribute.isNullable && isBlank(value as string)) throw badInput(field, 'must not be blank');
      break;
    case 'text':
      checkText(field, value as string, MAX_TEXT_CHARACTERS);
      if (!attribute.isNullable && isBlank(value as string)) throw badInput(field, 'must not be blank');
      break;
    case 'partialDate':
      if (!PARTIAL_DATE.test(value as string))
        throw badInput(field, `'${String(value)}' is not a date like 2019, 2019-04 or 2019-04-30`);
      break;
    case 'uuid':
      if (!UUID.test(value as string)) throw badInput(field, `'${String(value)}' is not a UUID`);
      break;
    case 'choice': {
      const { values = [] } = attribute.choices ?? {};
      if (!values.includes(value as string))
        throw badInput(field, `'${String(value)}' is not one of ${values.join(', ')}`);
      break;
    }
    case 'datetime':
      if (Number.isNaN((value as Date).getTime())) throw badInput(field, 'is not a date; use ISO 8601');
      break;
    case 'strings':
    case 'json':
      checkTexts(field, value);
      break;
    case 'integer':
    case 'float':
    case 'boolean':
      break;
  }
  const result = attribute.validate?.safeParse(value);
  if (result && !result.success) {
    const [issue] = result.error.issues;
    const path = (issue?.path ?? []).map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
    throw badInput(`${field}${path.join('')}`, issue?.message ?? 'is not valid');
  }
}

/**
 * Checks what a client sends, field by field, and turns global ids into keys.
 * @throws DomainError naming the field, the problem and what would be right
 */
export function readRecordInput(
  kind: RecordKind,
  registry: KindRegistry,
  input: RecordInput,
  action: 'create' | 'update',
  path = 'input',
): RecordValues {
  const values: RecordValues = {};
  if (input.externalId !== undefined) {
    if (input.externalId !== null) {
      const externalId = String(input.externalId);
      checkText(`${path}.externalId`, externalId, DEFAULT_MAX_LENGTH);
      if (isBlank(externalId)) throw badInput(`${path}.externalId`, 'must not be blank');
    }
    values.externalId = input.externalId;
  }
  for (const attribute of kind.attributes) {
    const field = `${path}.${attribute.property}`;
    const value = input[attribute.property];
    if (value === undefined) continue;
    if (value === null) {
      if (attribute.isNullable) values[attribute.property] = null;
      else if (action === 'update') throw badInput(field, 'must have a value; leave it out to keep the present one');
      continue;
    }
    if (attribute.reference) {
      const target = registry.kind(attribute.reference.kind);
      values[attribute.property] = decodeIdOf(target.names.type, String(value), field);
      continue;
    }
    checkValue(attribute, field, value);
    values[attribute.property] = attribute.type === 'json' ? JSON.parse(JSON.stringify(value)) : value;
  }
  // An update is checked as a whole once what it leaves alone is known.
  if (action === 'create') kind.validate?.({ ...defaultsOf(kind), ...values }, path);
  return values;
}

function defaultsOf(kind: RecordKind): RecordValues {
  const attributes = kind.attributes.filter((attribute) => attribute.default !== undefined);
  return Object.fromEntries(attributes.map((attribute) => [attribute.property, attribute.default]));
}

import { fromGlobalId } from 'graphql-relay';

import { DomainError } from '../errors/domain-error';

const MAX_SERIAL = 2_147_483_647;

export interface DecodedId {
  typeName: string;
  id: number;
}

/** As graphql-relay writes it, which goes over the bytes one by one. */
export function toGlobalId(typeName: string, id: string | number): string {
  return Buffer.from(`${typeName}:${id}`, 'utf8').toString('base64');
}

function invalid(value: string, field: string, expected: string): DomainError {
  const shown = value.length > 60 ? `${value.slice(0, 60)}…` : value;
  return new DomainError('INVALID_ID', `${field}: '${shown}' is not ${expected}.`, { details: { field } });
}

/** Types whose keys outgrow 32 bits. */
const LARGE_KEYED: ReadonlySet<string> = new Set(['DeadLetter']);

/** Reads a global id of any type. */
export function decodeGlobalId(value: string, field = 'id'): DecodedId {
  const { type, id } = fromGlobalId(value);
  const number = /^[1-9][0-9]{0,15}$/.test(id) ? Number(id) : Number.NaN;
  const largest = LARGE_KEYED.has(type) ? Number.MAX_SAFE_INTEGER : MAX_SERIAL;
  // Base64 decoders forgive a lot; only what encodes back to the same text is an id.
  if (!(number <= largest) || toGlobalId(type, id) !== value) {
    throw invalid(value, field, 'a global id; use the `id` of a record as the API returned it');
  }
  return { typeName: type, id: number };
}

/** Reads a global id that must be of `typeName`. */
export function decodeIdOf(typeName: string, value: string, field = 'id'): number {
  const decoded = decodeGlobalId(value, field);
  if (decoded.typeName !== typeName) {
    throw invalid(value, field, `the id of a ${typeName}, but of a ${decoded.typeName}`);
  }
  return decoded.id;
}

import { badInput } from '../errors/bad-input';
import { DomainError } from '../errors/domain-error';
import { decodeGlobalId } from '../record/global-id';
import { decodeCursor, encodeCursor, readInteger } from '../record/page';
import { isBlank, isStorable, UNSTORABLE_PROBLEM } from '../record/storable-text';
import { DEFAULT_HIT_COUNT, MAX_HIT_COUNT, type SearchQuery, type StoredRecord } from '../search/search-request';
import type { GraphQLContext } from './context';
import type { AwaitSyncInput, SearchInput } from './input-types';

const MAX_QUERY_CHARACTERS = 20_000;
const MAX_EXAMPLES = 50;
const MAX_SYNC_TIMEOUT_MS = 60_000;
const DEFAULT_SYNC_TIMEOUT_MS = 5_000;

/** The record (or single embedding row) that a global id names. */
async function storedRecord(id: string, field: string, context: GraphQLContext): Promise<StoredRecord> {
  const { registry } = context.services;
  const { typeName, id: key } = decodeGlobalId(id, field);
  const rowKind = registry.ofRowType(typeName);
  if (rowKind) {
    const row = await context.loaders.embeddingById(rowKind, key);
    if (!row) throw new DomainError('NOT_FOUND', `${field}: there is no ${typeName} ${id}.`, { details: { field } });
    return { kind: rowKind, id: row.sourceId, pointId: row.qdrantPointId };
  }
  const kind = registry.requireType(typeName, field);
  if (!(await context.loaders.record(kind, key))) {
    throw new DomainError('NOT_FOUND', `${field}: there is no ${kind.names.label} ${id}.`, { details: { field } });
  }
  return { kind, id: key };
}

/** Checks a SearchInput and resolves the records it names. */
export async function readSearchQuery(input: SearchInput, context: GraphQLContext): Promise<SearchQuery> {
  const given = (['text', 'vector', 'nodeId', 'examples'] as const).filter((name) => input[name] != null);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none is' : `${given.join(' and ')} are`;
    throw badInput('query', `give exactly one of text, vector, nodeId and examples; ${found} given`);
  }
  if (input.diversity != null && !(input.diversity >= 0 && input.diversity <= 1)) {
    throw badInput('query.diversity', `${input.diversity} is outside 0 to 1`);
  }
  if (input.minScore != null && !Number.isFinite(input.minScore))
    throw badInput('query.minScore', 'must be a finite number');
  if (input.text != null) {
    const text = input.text.trim();
    if (isBlank(text)) throw badInput('query.text', 'is empty; give the words or the description to look for');
    if (!isStorable(text)) throw badInput('query.text', UNSTORABLE_PROBLEM);
    if (text.length > MAX_QUERY_CHARACTERS) {
      throw badInput('query.text', `is ${text.length} characters long; at most ${MAX_QUERY_CHARACTERS} are allowed`);
    }
    return { text };
  }
  if (input.vector) return { vector: input.vector };
  if (input.nodeId != null) return { near: await storedRecord(input.nodeId, 'query.nodeId', context) };
  const { positive, negative, strategy } = input.examples as NonNullable<SearchInput['examples']>;
  if (positive.length === 0) throw badInput('query.examples.positive', 'is empty; give at least one example');
  if (positive.length + (negative?.length ?? 0) > MAX_EXAMPLES) {
    throw badInput('query.examples', `has more than ${MAX_EXAMPLES} examples`);
  }
  const resolve = (ids: readonly string[], field: string): Promise<StoredRecord[]> =>
    Promise.all(ids.map((id, i) => storedRecord(id, `query.examples.${field}[${i}]`, context)));
  return {
    positive: await resolve(positive, 'positive'),
    negative: await resolve(negative ?? [], 'negative'),
    strategy: strategy ?? 'best_score',
  };
}

/** Waits as an `awaitSync` argument asks; fields of one request that ask for the same wait once, and go on together. */
export async function awaitSync(
  asked: AwaitSyncInput | null | undefined,
  field: string,
  context: GraphQLContext,
): Promise<void> {
  if (!asked) return;
  const timeoutMs = asked.timeoutMs ?? DEFAULT_SYNC_TIMEOUT_MS;
  if (!(timeoutMs >= 0 && timeoutMs <= MAX_SYNC_TIMEOUT_MS)) {
    throw badInput(`${field}.timeoutMs`, `${timeoutMs} is outside 0 to ${MAX_SYNC_TIMEOUT_MS}`);
  }
  try {
    await context.loaders.sync(asked.token, timeoutMs);
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'BAD_INPUT') throw error;
    throw badInput(`${field}.token`, 'is not a token that a mutation returned');
  }
}

/** `first` and `after` of a search. A search's cursor is a depth in its own ranking. */
export function readHitPage(
  listName: () => string,
  first: number | null | undefined,
  after: string | null | undefined,
): { first: number; offset: number } {
  const size = first ?? DEFAULT_HIT_COUNT;
  if (size < 0 || size > MAX_HIT_COUNT) throw badInput('first', `${size} is outside 0 to ${MAX_HIT_COUNT}`);
  if (after == null) return { first: size, offset: 0 };
  const depth = decodeCursor(listName(), after, readInteger);
  if (typeof depth !== 'number' || !Number.isInteger(depth) || depth < 0)
    throw badInput('after', 'is no cursor of this search');
  return { first: size, offset: depth };
}

/** Cursor of the hit at `depth` (1 for the first). */
export function hitCursor(listName: string, depth: number): string {
  return encodeCursor(listName, depth);
}

/** The embedding types that a client names, as stored; any case is fine. */
export function readEmbeddingTypes(types: readonly string[] | null | undefined): string[] | undefined {
  if (!types) return undefined;
  if (types.length === 0) throw badInput('query.embeddingTypes', 'is empty; leave it out for the default');
  return types.map((type) => type.toLowerCase());
}

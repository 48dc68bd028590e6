import { createHash } from 'node:crypto';

import type { EmbeddingRow } from '../embedding/embedding-row';
import { FilterReader, type FilterInput } from '../record/filter';
import type { RecordBase } from '../record/record-base';
import type { RecordKind } from '../record/record-spec';
import type { SearchQuery, SearchRequest } from '../search/search-request';
import type { SearchModeName } from '../search/search-mode';
import type { Connection } from './connection';
import { searchConnectionOf, type SearchEdge } from './connection';
import type { GraphQLContext } from './context';
import { sourceIdsName } from './record-types';
import { readHitPage } from './search-input';

export interface SearchArguments {
  kind: RecordKind;
  query: SearchQuery;
  /** What makes two searches the same ranking; cursors are bound to it. */
  identity: unknown;
  filter?: FilterInput | null;
  first?: number | null;
  after?: string | null;
  mode?: SearchModeName | null;
  embeddingTypes?: string[];
  minScore?: number | null;
  diversity?: number | null;
  /** Properties of the records that will be read. */
  wanted?: ReadonlySet<string>;
}

function digestOf(args: SearchArguments): string {
  const identity = [args.identity, args.filter, args.mode, args.embeddingTypes, args.minScore, args.diversity];
  return createHash('sha256').update(JSON.stringify(identity)).digest('base64url').slice(0, 12);
}

function prepare(args: SearchArguments, unit: SearchRequest['unit'], context: GraphQLContext) {
  // Only a cursor needs the name, and hashing it costs as much as the rest of this.
  let name: string | undefined;
  const listName = (): string => (name ??= `search:${args.kind.kind}:${unit}:${digestOf(args)}`);
  const page = readHitPage(listName, args.first, args.after);
  const rowAs = unit === 'row' ? args.kind.embedding?.rowAs : undefined;
  const idsName = rowAs ? sourceIdsName(rowAs) : undefined;
  const filter = new FilterReader(args.kind, context.services.registry, idsName).read(args.filter);
  const request: SearchRequest = {
    kind: args.kind,
    query: args.query,
    mode: args.mode ?? undefined,
    embeddingTypes: args.embeddingTypes,
    filter,
    minScore: args.minScore ?? undefined,
    diversity: args.diversity ?? undefined,
    first: page.first,
    offset: page.offset,
    unit,
    wanted: args.wanted,
  };
  const count = (): Promise<number> => context.loaders.count(args.kind, unit, filter);
  return { listName, page, request, count };
}

/** Records by similarity, chunks grouped to their record. */
export async function searchRecords(
  args: SearchArguments,
  context: GraphQLContext,
): Promise<Connection<RecordBase, SearchEdge<RecordBase>>> {
  const { listName, page, request, count } = prepare(args, 'entity', context);
  const result = await context.loaders.search(request);
  return searchConnectionOf(
    result,
    result.hits.map((hit) => hit.record),
    listName,
    page.offset,
    count,
  );
}

/** Embedding rows by similarity, each a hit of its own. */
export async function searchRows(
  args: SearchArguments,
  context: GraphQLContext,
): Promise<Connection<EmbeddingRow, SearchEdge<EmbeddingRow>>> {
  const { listName, page, request, count } = prepare({ ...args, wanted: new Set() }, 'row', context);
  const result = await context.loaders.search(request);
  const rows = await Promise.all(
    result.hits.map((hit) => context.loaders.embeddingByPoint(args.kind, hit.chunks[0]?.pointId ?? '')),
  );
  const hits = result.hits.filter((_, i) => rows[i]);
  const present = rows.filter((row) => row !== null);
  return searchConnectionOf({ ...result, hits }, present, listName, page.offset, count);
}

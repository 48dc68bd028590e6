import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, Float, Info, Int, Query, Resolver, Root } from 'type-graphql';

import { DomainError } from '../errors/domain-error';
import type { FilterInput } from '../record/filter';
import type { RecordBase } from '../record/record-base';
import type { MatchField, RecordKind } from '../record/record-spec';
import type { KindRegistry } from '../record/registry';
import type { Connection } from './connection';
import type { SearchEdge } from './connection';
import type { GraphQLContext } from './context';
import { AwaitSyncInput, SearchInput, SearchMode } from './input-types';
import type { RecordTypeFactory } from './record-types';
import { awaitSync, readEmbeddingTypes, readSearchQuery } from './search-input';
import { searchRecords, type SearchArguments } from './search-runner';
import { selectedOnNodes } from './selection';
import { Evidence } from './shared-types';

type ResolverClass = new () => object;
type Search = Connection<RecordBase, SearchEdge<RecordBase>>;

const MAX_EVIDENCE = 5;

/** What a search by `query` asks for. */
export async function searchArguments(
  kind: RecordKind,
  query: SearchInput,
  rest: Pick<SearchArguments, 'filter' | 'first' | 'after' | 'wanted'>,
  context: GraphQLContext,
): Promise<SearchArguments> {
  const read = await readSearchQuery(query, context);
  const embeddingTypes = readEmbeddingTypes(query.embeddingTypes);
  await awaitSync(query.awaitSync, 'query.awaitSync', context);
  return {
    kind,
    query: read,
    identity: [query.text, query.vector, query.nodeId, query.examples],
    mode: query.mode,
    embeddingTypes,
    minScore: query.minScore,
    diversity: query.diversity,
    ...rest,
  };
}

/** The search query of a kind. */
export function searchResolver(kind: RecordKind, name: string, factory: RecordTypeFactory): ResolverClass {
  const types = factory.of(kind);

  @Resolver(() => kind.entity)
  class SearchResolver {
    @Query(() => types.searchConnection, { name, description: `${kind.names.label}s by similarity, best first.` })
    async search(
      @Arg('query', () => SearchInput) query: SearchInput,
      @Arg('filter', () => types.searchFilter, { nullable: true }) filter: FilterInput | null | undefined,
      @Arg('first', () => Int, { nullable: true, defaultValue: 10 }) first: number | null | undefined,
      @Arg('after', () => String, { nullable: true }) after: string | null | undefined,
      @Ctx() context: GraphQLContext,
      @Info() info: GraphQLResolveInfo,
    ): Promise<Search> {
      const wanted = selectedOnNodes(info);
      return searchRecords(await searchArguments(kind, query, { filter, first, after, wanted }, context), context);
    }
  }
  return SearchResolver;
}

/** A nested field that finds records like this one, e.g. `matchingJobs` of a profile. */
export function matchResolver(
  kind: RecordKind,
  match: MatchField,
  registry: KindRegistry,
  factory: RecordTypeFactory,
): ResolverClass {
  const target = registry.kind(match.kind);
  const types = factory.of(target);

  @Resolver(() => kind.entity)
  class MatchResolver {
    @FieldResolver(() => types.searchConnection, { description: match.description })
    [match.field](
      @Root() record: RecordBase,
      @Arg('first', () => Int, { nullable: true, defaultValue: 10 }) first: number | null | undefined,
      @Arg('after', () => String, { nullable: true }) after: string | null | undefined,
      @Arg('filter', () => types.searchFilter, { nullable: true }) filter: FilterInput | null | undefined,
      @Arg('minScore', () => Float, { nullable: true }) minScore: number | null | undefined,
      @Arg('mode', () => SearchMode, { nullable: true }) mode: SearchMode | null | undefined,
      @Arg('awaitSync', () => AwaitSyncInput, { nullable: true }) sync: AwaitSyncInput | null | undefined,
      @Ctx() context: GraphQLContext,
      @Info() info: GraphQLResolveInfo,
    ): Promise<Search> {
      const search: SearchArguments = {
        kind: target,
        query: { near: { kind, id: record.id } },
        identity: [match.field, record.globalId],
        filter,
        first,
        after,
        mode,
        minScore,
        wanted: selectedOnNodes(info),
      };
      if (!sync) return searchRecords(search, context);
      return awaitSync(sync, 'awaitSync', context).then(() => searchRecords(search, context));
    }
  }
  return MatchResolver;
}

async function evidenceOf(
  kind: RecordKind,
  edge: SearchEdge,
  first: number,
  context: GraphQLContext,
): Promise<Evidence[]> {
  if (first < 0 || first > MAX_EVIDENCE) {
    throw new DomainError('BAD_INPUT', `first: ${first} is outside 0 to ${MAX_EVIDENCE}.`, {
      details: { field: 'first' },
    });
  }
  const chunks = edge.hit.chunks.slice(0, first);
  const rows = await Promise.all(chunks.map((chunk) => context.loaders.embeddingByPoint(kind, chunk.pointId)));
  return rows.flatMap((row, i) =>
    row
      ? [
          {
            embedding: row,
            text: row.text,
            startOffset: row.startOffset,
            endOffset: row.endOffset,
            score: chunks[i]?.score ?? 0,
          },
        ]
      : [],
  );
}

/** The chunks of text that made a hit. */
export function evidenceResolver(kindOf: (edge: SearchEdge) => RecordKind, edge: new () => object): ResolverClass {
  @Resolver(() => edge)
  class EvidenceResolver {
    @FieldResolver(() => [Evidence], {
      description: 'The chunks that matched, best first: at most 5, of those near enough to have been looked at.',
    })
    evidence(
      @Root() root: SearchEdge,
      @Arg('first', () => Int, { nullable: true, defaultValue: 1 }) first: number | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<Evidence[]> {
      return evidenceOf(kindOf(root), root, first ?? 1, context);
    }
  }
  return EvidenceResolver;
}

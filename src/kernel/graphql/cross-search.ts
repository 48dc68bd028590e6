import { Arg, Ctx, Field, Float, Int, ObjectType, Query, Resolver } from 'type-graphql';

import { DomainError } from '../errors/domain-error';
import { NodeInterface, type RecordBase } from '../record/record-base';
import type { RecordKind } from '../record/record-spec';
import type { KindRegistry } from '../record/registry';
import { MAX_HIT_COUNT } from '../search/search-request';
import { Connection, type SearchEdge } from './connection';
import type { GraphQLContext } from './context';
import { SearchInput } from './input-types';
import { embeddableKindEnum } from './kind-enum';
import { evidenceResolver } from './search-resolvers';
import { awaitSync, hitCursor, readHitPage, readSearchQuery } from './search-input';
import { searchRecords } from './search-runner';
import { PageInfo } from './shared-types';

type ResolverClass = new () => object;

interface KindEdge extends SearchEdge<RecordBase> {
  kind: string;
}

@ObjectType('SearchEdge', { description: 'A hit of any kind.' })
class CrossSearchEdge {
  @Field(() => String)
  cursor!: string;

  @Field(() => Float, { description: 'Comparable between kinds in SEMANTIC mode.' })
  score!: number;

  @Field(() => NodeInterface)
  node!: RecordBase;
}

@ObjectType('SearchConnection', { description: 'Hits of several kinds in one ranking.' })
class CrossSearchConnection {
  @Field(() => [CrossSearchEdge])
  edges!: CrossSearchEdge[];

  @Field(() => [NodeInterface])
  nodes!: RecordBase[];

  @Field(() => PageInfo)
  pageInfo!: PageInfo;

  @Field(() => Int)
  totalCount!: number;
}

/** `search`: several kinds, one ranking. Each kind is searched as deep as the page may need, then merged by score. */
export function crossSearchResolvers(registry: KindRegistry): ResolverClass[] {
  const kindEnum = embeddableKindEnum(registry);

  @Resolver()
  class CrossSearchResolver {
    @Query(() => CrossSearchConnection, { description: 'Across kinds, one ranking.' })
    async search(
      @Arg('query', () => SearchInput) query: SearchInput,
      @Arg('kinds', () => [kindEnum], { nullable: true }) kinds: string[] | null | undefined,
      @Arg('first', () => Int, { nullable: true, defaultValue: 10 }) first: number | null | undefined,
      @Arg('after', () => String, { nullable: true }) after: string | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<Connection<RecordBase, KindEdge>> {
      if (query.embeddingTypes) {
        throw new DomainError('BAD_INPUT', 'query.embeddingTypes: types belong to one kind; use its own search.', {
          details: { field: 'query.embeddingTypes' },
        });
      }
      if (kinds?.length === 0) {
        throw new DomainError('BAD_INPUT', 'kinds: is empty; leave it out to search every kind.', {
          details: { field: 'kinds' },
        });
      }
      const chosen = kinds ? [...new Set(kinds)].map((kind) => registry.kind(kind)) : registry.embeddable;
      const listName = `search:${chosen.map((kind) => kind.kind).join('+')}`;
      const page = readHitPage(() => listName, first, after);
      const depth = page.offset + page.first;
      if (depth >= MAX_HIT_COUNT) {
        throw new DomainError('BAD_INPUT', `A search across kinds goes at most ${MAX_HIT_COUNT - 1} hits deep.`, {
          details: { field: 'first', max: MAX_HIT_COUNT - 1 },
        });
      }
      const read = await readSearchQuery(query, context);
      await awaitSync(query.awaitSync, 'query.awaitSync', context);
      // Scores of other modes do not compare between kinds.
      const mode = query.mode ?? 'SEMANTIC';
      const search = (kind: RecordKind): Promise<Connection<RecordBase, SearchEdge<RecordBase>>> =>
        searchRecords({ kind, query: read, identity: '', mode, minScore: query.minScore, first: depth + 1 }, context);
      const results = await Promise.all(chosen.map(async (kind) => ({ kind: kind.kind, result: await search(kind) })));
      const merged = results
        .flatMap(({ kind, result }) => result.edges.map(({ node, score, hit }) => ({ node, score, hit, kind })))
        .sort((a, b) => b.score - a.score);
      const edges = merged
        .slice(page.offset, depth)
        .map((edge, i) => ({ ...edge, cursor: hitCursor(listName, page.offset + i + 1) }));
      const pageInfo = {
        hasNextPage: merged.length > depth,
        hasPreviousPage: page.offset > 0,
        startCursor: edges[0]?.cursor ?? null,
        endCursor: edges.at(-1)?.cursor ?? null,
      };
      const counts = async (): Promise<number> =>
        (await Promise.all(results.map(({ result }) => result.totalCount))).reduce((sum, count) => sum + count, 0);
      return new Connection(edges, pageInfo, counts);
    }
  }
  return [CrossSearchResolver, crossEvidence(registry)];
}

/** Evidence of a hit whose kind is known only at run time. */
function crossEvidence(registry: KindRegistry): ResolverClass {
  return evidenceResolver((edge) => registry.kind((edge as KindEdge).kind), CrossSearchEdge);
}

import { Arg, Ctx, FieldResolver, Float, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';

import { specOf } from '../embedding/embedding-reader';
import type { EmbeddingRow } from '../embedding/embedding-row';
import type { RowRecordNames } from '../embedding/embedding-spec';
import { DomainError } from '../errors/domain-error';
import type { FilterInput } from '../record/filter';
import { decodeIdOf } from '../record/global-id';
import { decodeCursor, encodeCursor, readInteger, readPage } from '../record/page';
import { typeNameOf, type RecordBase } from '../record/record-base';
import type { RecordKind } from '../record/record-spec';
import { connectionOf, type Connection, type SearchEdge } from './connection';
import type { GraphQLContext } from './context';
import { AwaitSyncInput, SearchInput } from './input-types';
import { rowField, type RecordTypeFactory, type RowTypes } from './record-types';
import { requireRole } from './require-role';
import { awaitSync } from './search-input';
import { evidenceResolver, searchArguments } from './search-resolvers';
import { searchRows, type SearchArguments } from './search-runner';

type ResolverClass = new () => object;
type RowSearch = Connection<EmbeddingRow, SearchEdge<EmbeddingRow>>;

const MAX_NEIGHBOURS = 20;

function readNeighbourCount(value: number | null | undefined, field: string): number {
  const count = value ?? 1;
  if (count >= 0 && count <= MAX_NEIGHBOURS) return count;
  throw new DomainError('BAD_INPUT', `${field}: ${count} is outside 0 to ${MAX_NEIGHBOURS}.`, { details: { field } });
}

/** Search, neighbours and lists of embedding rows that are records of their own, like a story's chunks. */
export function rowResolvers(kind: RecordKind, factory: RecordTypeFactory): ResolverClass[] {
  const spec = specOf(kind);
  const types = factory.of(kind);
  if (!spec.rowAs || !types.rows) return [];
  const rowAs: RowRecordNames = spec.rowAs;
  const rows: RowTypes = types.rows;

  const setArchived = async (id: string, isArchived: boolean, context: GraphQLContext): Promise<object> => {
    requireRole(context, 'writer');
    const key = decodeIdOf(spec.typeName, id);
    const { row, syncToken } = await context.services.writer.setRowArchived(kind, key, isArchived, context.actor);
    return { [rowField(rowAs)]: row, syncToken };
  };

  @Resolver(() => spec.entity)
  class RowResolver {
    @Query(() => rows.searchConnection, {
      name: rowAs.search,
      description: 'Passages by similarity, each a hit of its own.',
    })
    async search(
      @Arg('query', () => SearchInput) query: SearchInput,
      @Arg('filter', () => rows.searchFilter, { nullable: true }) filter: FilterInput | null | undefined,
      @Arg('first', () => Int, { nullable: true, defaultValue: 10 }) first: number | null | undefined,
      @Arg('after', () => String, { nullable: true }) after: string | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<RowSearch> {
      return searchRows(await searchArguments(kind, query, { filter, first, after }, context), context);
    }

    @FieldResolver(() => kind.entity, { name: rowAs.source })
    source(@Root() row: EmbeddingRow, @Ctx() context: GraphQLContext): Promise<RecordBase | null> {
      return context.loaders.record(kind, row.sourceId);
    }

    @FieldResolver(() => Int, { name: 'paragraphIndex', description: 'Position in the story, from 0.' })
    paragraphIndex(@Root() row: EmbeddingRow): number {
      return row.chunkIndex;
    }

    @FieldResolver(() => [spec.entity], {
      description: `The passages right before and after this one, in order, without it; at most ${MAX_NEIGHBOURS} each.`,
    })
    neighbours(
      @Root() row: EmbeddingRow,
      @Arg('before', () => Int, { nullable: true, defaultValue: 1 }) before: number | null | undefined,
      @Arg('after', () => Int, { nullable: true, defaultValue: 1 }) after: number | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<EmbeddingRow[]> {
      const reach = { before: readNeighbourCount(before, 'before'), after: readNeighbourCount(after, 'after') };
      return context.loaders.neighbours(kind, row, reach);
    }

    @Mutation(() => rows.payload, {
      name: `archive${rowAs.short}`,
      description: `Hides it from lists and searches, wherever its text moves in the ${kind.names.label}.`,
    })
    async archive(@Arg('id', () => ID) id: string, @Ctx() context: GraphQLContext): Promise<object> {
      return setArchived(id, true, context);
    }

    @Mutation(() => rows.payload, {
      name: `restore${rowAs.short}`,
      description: 'Brings it back; nothing is embedded again.',
    })
    async restore(@Arg('id', () => ID) id: string, @Ctx() context: GraphQLContext): Promise<object> {
      return setArchived(id, false, context);
    }

    @FieldResolver(() => rows.searchConnection, { name: rowAs.similar, description: 'Passages nearest to this one.' })
    similar(
      @Root() row: EmbeddingRow,
      @Arg('first', () => Int, { nullable: true, defaultValue: 10 }) first: number | null | undefined,
      @Arg('after', () => String, { nullable: true }) after: string | null | undefined,
      @Arg('minScore', () => Float, { nullable: true }) minScore: number | null | undefined,
      @Arg('awaitSync', () => AwaitSyncInput, { nullable: true }) sync: AwaitSyncInput | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<RowSearch> {
      const near = { kind, id: row.sourceId, pointId: row.qdrantPointId };
      const identity = [typeNameOf(row), row.id];
      const search: SearchArguments = { kind, query: { near }, identity, mode: 'SEMANTIC', first, after, minScore };
      if (!sync) return searchRows(search, context);
      return awaitSync(sync, 'awaitSync', context).then(() => searchRows(search, context));
    }
  }

  @Resolver(() => kind.entity)
  class RowListResolver {
    @FieldResolver(() => rows.connection, { name: rowAs.list, description: 'In order.' })
    async rows(
      @Root() record: RecordBase,
      @Arg('first', () => Int, { nullable: true }) first: number | null | undefined,
      @Arg('after', () => String, { nullable: true }) after: string | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<Connection<EmbeddingRow>> {
      const listName = `${kind.kind}.${rowAs.list}`;
      const { size, cursor } = readPage({ first, after });
      const afterIndex = cursor === undefined ? -1 : decodeCursor(listName, cursor, readInteger);
      const { items, hasNextPage } = await context.loaders.embeddingPage(kind, size, record.id, afterIndex);
      return connectionOf(
        items,
        (i) => encodeCursor(listName, items[i]?.chunkIndex),
        { hasNextPage, hasPreviousPage: afterIndex >= 0 },
        () => context.loaders.embeddingCount(kind, record.id),
      );
    }
  }
  return [RowResolver, RowListResolver, evidenceResolver(() => kind, rows.searchEdge)];
}

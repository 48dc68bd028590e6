import { Arg, Args, ArgsType, Ctx, Field, ID, Int, Query, Resolver } from 'type-graphql';

import type { EmbeddingListFilter, ListPosition } from '../embedding/embedding-list';
import { EmbeddingRow } from '../embedding/embedding-row';
import { DomainError } from '../errors/domain-error';
import { decodeGlobalId, decodeIdOf } from '../record/global-id';
import { decodeCursor, encodeCursor, readInteger, readPage, type PageInput } from '../record/page';
import { UUID } from '../record/record-input';
import type { RecordKind } from '../record/record-spec';
import type { KindRegistry } from '../record/registry';
import { connectionOf, type Connection } from './connection';
import type { GraphQLContext } from './context';
import { embeddableKindEnum } from './kind-enum';
import { connectionTypes } from './record-types';

type ResolverClass = new () => object;

const MAX_POINTS = 200;
const LIST = 'vectorEmbeddings';

const VectorEmbeddingConnection = connectionTypes(
  'VectorEmbedding',
  () => EmbeddingRow,
  'Embeddings of all kinds, as one list.',
);

@ArgsType()
class PageArguments {
  @Field(() => Int, { nullable: true })
  first?: number | null;

  @Field(() => String, { nullable: true })
  after?: string | null;

  @Field(() => Int, { nullable: true })
  last?: number | null;

  @Field(() => String, { nullable: true })
  before?: string | null;
}

function readPosition(position: unknown): ListPosition | undefined {
  if (!Array.isArray(position) || position.length !== 2) return undefined;
  const [place, id] = position.map(readInteger);
  return place === undefined || id === undefined ? undefined : [place, id];
}

/** `entityId` is a record's global id, or with `entityType` the number that its table has. */
function readEntity(
  registry: KindRegistry,
  kind: RecordKind | undefined,
  entityId: string,
): { kind: RecordKind; id: number } {
  const number = /^[1-9][0-9]{0,9}$/.test(entityId) ? readInteger(Number(entityId)) : undefined;
  if (kind && number !== undefined) return { kind, id: number };
  if (kind) return { kind, id: decodeIdOf(kind.names.type, entityId, 'entityId') };
  if (number !== undefined) {
    throw new DomainError('BAD_INPUT', 'entityId: a number is of one kind; say which with entityType.', {
      details: { field: 'entityType' },
    });
  }
  const { typeName, id } = decodeGlobalId(entityId, 'entityId');
  return { kind: registry.requireType(typeName, 'entityId'), id };
}

function checkPoints(ids: readonly string[]): void {
  const wrong = ids.find((id) => !UUID.test(id));
  if (wrong !== undefined || ids.length > MAX_POINTS) {
    const why =
      wrong === undefined ? `${ids.length} ids; at most ${MAX_POINTS} are allowed` : `'${wrong}' is not a UUID`;
    throw new DomainError('BAD_INPUT', `qdrantPointIds: ${why}.`, { details: { field: 'qdrantPointIds' } });
  }
}

/** `vectorEmbeddings`: one list across kinds, for clients that know one table. */
export function embeddingListResolver(registry: KindRegistry): ResolverClass {
  const kindEnum = embeddableKindEnum(registry);

  @Resolver()
  class EmbeddingListResolver {
    @Query(() => VectorEmbeddingConnection, {
      description: 'Embeddings of all kinds as one list, in the order of the kinds and then of their rows.',
    })
    async vectorEmbeddings(
      @Arg('entityType', () => kindEnum, { nullable: true }) entityType: string | null | undefined,
      @Arg('entityId', () => ID, {
        nullable: true,
        description: 'Global id of a record; with entityType also the number that its table has.',
      })
      entityId: string | null | undefined,
      @Arg('embeddingTypes', () => [String], { nullable: true }) embeddingTypes: string[] | null | undefined,
      @Arg('qdrantPointIds', () => [ID], { nullable: true }) qdrantPointIds: string[] | null | undefined,
      @Args(() => PageArguments) paging: PageInput,
      @Ctx() context: GraphQLContext,
    ): Promise<Connection<EmbeddingRow>> {
      const named = entityType == null ? undefined : registry.kind(entityType);
      const entity = entityId == null ? undefined : readEntity(registry, named, entityId);
      if (qdrantPointIds) checkPoints(qdrantPointIds);
      const filter: EmbeddingListFilter = {
        sourceId: entity?.id,
        embeddingTypes: embeddingTypes ?? undefined,
        pointIds: qdrantPointIds ?? undefined,
      };
      const kind = entity?.kind ?? named;
      const kinds = kind ? [kind] : registry.embeddable;
      const page = readPage(paging);
      const from =
        page.cursor === undefined ? undefined : decodeCursor(LIST, page.cursor, readPosition, page.cursorField);
      const { embeddingList } = context.services;
      const found = await embeddingList.page(kinds, filter, page, from);
      const listed = found.slice(0, page.size);
      if (page.isBackward) listed.reverse();
      const rows = await Promise.all(
        listed.map(async (one) => ({
          position: one.position,
          row: await context.loaders.embeddingById(one.kind, one.position[1]),
        })),
      );
      // A row may go between the two statements.
      const present = rows.flatMap(({ position, row }) => (row ? [{ position, row }] : []));
      const isMore = found.length > page.size;
      return connectionOf(
        present.map(({ row }) => row),
        (index) => encodeCursor(LIST, present[index]?.position),
        {
          hasNextPage: page.isBackward ? page.cursor !== undefined : isMore,
          hasPreviousPage: page.isBackward ? isMore : page.cursor !== undefined,
        },
        () => embeddingList.count(kinds, filter),
      );
    }
  }
  return EmbeddingListResolver;
}

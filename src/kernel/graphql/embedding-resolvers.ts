import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, Float, Info, Resolver, Root } from 'type-graphql';

import { specOf } from '../embedding/embedding-reader';
import { EmbeddingRow, EmbeddingStatus } from '../embedding/embedding-row';
import { DomainError } from '../errors/domain-error';
import { EmbeddingModel } from '../model/embedding-model.entity';
import type { RecordBase } from '../record/record-base';
import { typeNameOf } from '../record/record-base';
import type { Wanted } from '../record/record-columns';
import type { RecordKind } from '../record/record-spec';
import { EmbeddableInterface } from '../record/record-table';
import type { GraphQLContext } from './context';
import type { RecordTypeFactory } from './record-types';
import { selectedFields } from './selection';
import { IndexingState, IndexingStatus } from './shared-types';

type ResolverClass = new () => object;

function kindOfRow(row: EmbeddingRow, context: GraphQLContext): RecordKind {
  const kind = context.services.registry.ofRowType(typeNameOf(row));
  if (!kind) throw new Error(`${typeNameOf(row)} belongs to no kind`);
  return kind;
}

/** Fields that every embedding row has, whatever its table. */
@Resolver(() => EmbeddingRow)
export class EmbeddingRowResolver {
  @FieldResolver(() => EmbeddingModel)
  async model(@Root() row: EmbeddingRow, @Ctx() context: GraphQLContext): Promise<EmbeddingModel> {
    const model = await context.loaders.model(kindOfRow(row, context));
    if (!model) throw new DomainError('INTERNAL', 'No model is registered for this kind.');
    return model;
  }

  @FieldResolver(() => EmbeddingStatus)
  async status(@Root() row: EmbeddingRow, @Ctx() context: GraphQLContext): Promise<EmbeddingStatus> {
    return (await context.loaders.pointStatus(row.qdrantPointId))?.status ?? EmbeddingStatus.PENDING;
  }

  @FieldResolver(() => [Float], {
    nullable: true,
    description: 'Fetched from Qdrant, only when selected; null while the point is not there yet.',
  })
  vector(@Root() row: EmbeddingRow, @Ctx() context: GraphQLContext): Promise<number[] | null> {
    return context.loaders.vector(kindOfRow(row, context), row.qdrantPointId);
  }
}

@Resolver(() => EmbeddableInterface)
export class EmbeddableResolver {
  @FieldResolver(() => IndexingStatus, { description: 'How far the vector side has followed this record.' })
  async indexing(@Root() root: RecordBase | EmbeddingRow, @Ctx() context: GraphQLContext): Promise<IndexingStatus> {
    const { registry } = context.services;
    const kind = registry.ofType(typeNameOf(root));
    if (kind) return (await context.loaders.indexing(kind, root.id)) as IndexingStatus;
    const status = await context.loaders.pointStatus((root as EmbeddingRow).qdrantPointId);
    const state = status?.status ?? EmbeddingStatus.PENDING;
    const is = (one: EmbeddingStatus): number => (state === one ? 1 : 0);
    return {
      state: IndexingState[state],
      pending: is(EmbeddingStatus.PENDING),
      indexed: is(EmbeddingStatus.INDEXED),
      failed: is(EmbeddingStatus.FAILED),
      error: status?.error ?? null,
      since: status?.since ?? null,
    };
  }
}

/** Fields that are read from properties of another name. */
const FIELD_COLUMNS: Record<string, readonly string[]> = {
  metadata: ['metadataJson'],
  lineage: ['contentHash', 'legacyKey'],
};

/** Properties of the rows that will be read. Rows that are records of their own have fields with needs of their own. */
function wantedOfRows(kind: RecordKind, info: GraphQLResolveInfo): Wanted {
  if (specOf(kind).rowAs) return undefined;
  const fields = selectedFields(info);
  const further = Object.entries(FIELD_COLUMNS).flatMap(([field, properties]) => (fields.has(field) ? properties : []));
  return further.length > 0 ? new Set([...fields, ...further]) : fields;
}

/** A record's `embeddings`, and the typed enum on each row. */
export function embeddingResolvers(kind: RecordKind, factory: RecordTypeFactory): ResolverClass[] {
  const spec = specOf(kind);
  const enumType: object = factory.of(kind).embeddingType ?? String;

  @Resolver(() => kind.entity)
  class RecordEmbeddingsResolver {
    @FieldResolver(() => [spec.entity], { description: 'By type, then position.' })
    async embeddings(
      @Root() record: RecordBase,
      @Arg('types', () => [enumType], { nullable: true }) types: string[] | null | undefined,
      @Ctx() context: GraphQLContext,
      @Info() info: GraphQLResolveInfo,
    ): Promise<EmbeddingRow[]> {
      const rows = await context.loaders.embeddingsOf(kind, record.id, wantedOfRows(kind, info));
      return types ? rows.filter((row) => types.includes(row.embeddingType)) : rows;
    }
  }

  @Resolver(() => spec.entity)
  class RowTypeResolver {
    @FieldResolver(() => enumType, { name: 'type', description: '`embeddingType` as an enum.' })
    type(@Root() row: EmbeddingRow): string {
      return row.embeddingType;
    }
  }
  return [RecordEmbeddingsResolver, RowTypeResolver];
}

import { Ctx, Field, FieldResolver, ObjectType, Resolver, Root } from 'type-graphql';

import { EmbeddingRow } from '../embedding/embedding-row';
import { DomainError } from '../errors/domain-error';
import { EmbeddingModel } from '../model/embedding-model.entity';
import { NodeInterface, typeNameOf, type RecordBase } from '../record/record-base';
import type { GraphQLContext } from './context';

@ObjectType({ description: 'The row of another table that an embedding was migrated from.' })
class MigrationSource {
  @Field(() => String, { description: 'With its schema, as it was called then.' })
  table!: string;

  @Field(() => String)
  key!: string;
}

@ObjectType({ description: 'Where an embedding comes from.' })
class EmbeddingLineage {
  row!: EmbeddingRow;

  @Field(() => String, {
    description: 'SHA-256 of what is embedded; for a vector that was taken over, of its row’s text.',
  })
  contentHash!: string;

  @Field(() => String, { nullable: true, description: 'Grows with every change of text or payload, over all points.' })
  revision!: string | null;

  @Field(() => String, { nullable: true, description: 'The revision that Qdrant has.' })
  indexedRevision!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The collection that the vector was taken over from; null when Kindred made it from the row’s text.',
  })
  adoptedFrom!: string | null;
}

@Resolver(() => EmbeddingRow)
export class EmbeddingLineageResolver {
  @FieldResolver(() => EmbeddingLineage, { description: 'Where it comes from: record, model, text, former table.' })
  async lineage(@Root() row: EmbeddingRow, @Ctx() context: GraphQLContext): Promise<EmbeddingLineage> {
    const point = await context.loaders.pointStatus(row.qdrantPointId);
    return Object.assign(new EmbeddingLineage(), {
      row,
      contentHash: row.contentHash,
      revision: point?.revision ?? null,
      indexedRevision: point?.indexedRevision ?? null,
      adoptedFrom: point?.adoptedFrom ?? null,
    });
  }
}

@Resolver(() => EmbeddingLineage)
export class LineageFieldsResolver {
  @FieldResolver(() => NodeInterface, { description: 'The record.' })
  async parent(@Root() { row }: EmbeddingLineage, @Ctx() context: GraphQLContext): Promise<RecordBase> {
    const kind = context.services.registry.ofRowType(typeNameOf(row));
    const record = kind && (await context.loaders.record(kind, row.sourceId));
    if (!record) throw new DomainError('NOT_FOUND', 'The record has just been deleted.');
    return record;
  }

  @FieldResolver(() => EmbeddingModel, {
    description: 'Of a vector that was taken over, the model it is compared with.',
  })
  async model(@Root() { row }: EmbeddingLineage, @Ctx() context: GraphQLContext): Promise<EmbeddingModel> {
    const kind = context.services.registry.ofRowType(typeNameOf(row));
    const model = kind && (await context.loaders.model(kind));
    if (!model) throw new DomainError('INTERNAL', 'No model is registered for this kind.');
    return model;
  }

  @FieldResolver(() => MigrationSource, { nullable: true })
  async migratedFrom(
    @Root() { row }: EmbeddingLineage,
    @Ctx() context: GraphQLContext,
  ): Promise<MigrationSource | null> {
    if (row.legacyKey == null) return null;
    const table = await context.loaders.batch<string, string>('migratedTable', '', async (keys) => {
      const name = await context.services.points.migratedTable();
      return keys.map(() => name ?? '');
    });
    return { table, key: row.legacyKey };
  }
}

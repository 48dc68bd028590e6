import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  Float,
  ID,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';

import type { GraphQLContext } from '../../../kernel/graphql/context';
import { requireRole } from '../../../kernel/graphql/require-role';
import { EmbeddingModel } from '../../../kernel/model/embedding-model.entity';
import { decodeIdOf } from '../../../kernel/record/global-id';
import { TagConcept } from '../tag-concept.entity';
import { tagConceptSpec } from '../tag-concept.spec';
import { TagReader } from '../tag.reader';
import { probabilityOf } from './platt';
import { LEAST_TO_APPLY, TagQuality, type CurveBin, type Quality, type QualityReport } from './tag-quality';
import type { ThresholdOutcome } from './threshold';

@ObjectType({ description: 'What a threshold would have done with the pairs that people decided on.' })
class TagThresholdOutcome implements ThresholdOutcome {
  @Field(() => Float)
  threshold!: number;

  @Field(() => Float, { description: 'Of the decided pairs above it, the share that was accepted.' })
  precision!: number;

  @Field(() => Float, { description: 'Of the accepted pairs, the share above it.' })
  recall!: number;

  @Field(() => Float)
  f1!: number;
}

@ObjectType({
  description: 'P(accepted) = 1 / (1 + exp(−(slope × score + intercept))): Platt scaling of the decisions.',
})
class TagCalibration {
  @Field(() => Float)
  slope!: number;

  @Field(() => Float)
  intercept!: number;
}

@ObjectType({ description: 'Decided pairs of one range of probability.' })
class CalibrationBin implements CurveBin {
  @Field(() => Float)
  from!: number;

  @Field(() => Float)
  to!: number;

  @Field(() => Int)
  count!: number;

  @Field(() => Float)
  meanProbability!: number;

  @Field(() => Float, { description: 'Equals `meanProbability` where the calibration is right.' })
  acceptedShare!: number;
}

@ObjectType('TagQuality', { description: 'How well a tag is suggested, by what people decided.' })
class TagQualityType {
  @Field(() => Int)
  accepted!: number;

  @Field(() => Int)
  rejected!: number;

  @Field(() => TagThresholdOutcome, { description: 'At the threshold that counts now.' })
  current!: ThresholdOutcome;

  @Field(() => TagThresholdOutcome, {
    nullable: true,
    description: 'At the threshold that would be best; absent below ten decisions, or two of either sort.',
  })
  suggested!: ThresholdOutcome | null;

  @Field(() => TagCalibration, { nullable: true })
  calibration!: { slope: number; intercept: number } | null;

  @Field(() => Boolean, {
    description: 'Whether the calibration is that of the scheme, because the tag has too few decisions.',
  })
  isPooled!: boolean;

  @Field(() => Float, {
    nullable: true,
    description: 'Mean squared difference of probability and decision; 0 is best.',
  })
  brierScore!: number | null;

  @Field(() => [CalibrationBin], { description: 'The calibration curve; empty ranges are left out.' })
  curve!: CurveBin[];
}

@ObjectType({ description: 'How well the tags of a scheme are suggested, by what people decided.' })
class TagQualityReport {
  @Field(() => String)
  scheme!: string;

  modelId!: number;

  @Field(() => TagQualityType, { description: 'Over all tags of the scheme.' })
  overall!: Quality;

  @Field(() => [TagQualityType], { description: 'Tags with a decision, or those asked for; by name.' })
  tags!: Quality[];
}

@ObjectType({ description: 'Tags whose threshold was changed.' })
class ApplyTagThresholdsPayload {
  @Field(() => [TagConcept])
  tags!: TagConcept[];
}

const serviceOf = ({ services }: GraphQLContext): TagQuality => new TagQuality(services.database, services.route);

const readIds = (ids: readonly string[] | null | undefined): number[] | undefined =>
  ids?.map((id, i) => decodeIdOf('TagConcept', id, `tagIds[${i}]`));

@Resolver(() => TagQualityReport)
class TagQualityReportResolver {
  @Query(() => TagQualityReport, {
    description:
      'What can be learnt from decisions: probabilities, and thresholds with their precision and recall. Changes nothing.',
  })
  tagQuality(
    @Arg('scheme', () => String, { nullable: true, defaultValue: 'general' }) scheme: string | null | undefined,
    @Arg('tagIds', () => [ID], { nullable: true }) tagIds: string[] | null | undefined,
    @Arg('minPrecision', () => Float, {
      nullable: true,
      description: 'Suggest the threshold that finds most at that precision, instead of that with the best F1.',
    })
    minPrecision: number | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<QualityReport> {
    const options = { tagIds: readIds(tagIds), minPrecision: minPrecision ?? undefined };
    return serviceOf(context).report(scheme ?? 'general', options);
  }

  @FieldResolver(() => EmbeddingModel, { nullable: true, description: 'The model whose scores were judged.' })
  model(@Root() { modelId }: TagQualityReport, @Ctx() context: GraphQLContext): Promise<EmbeddingModel | null> {
    return context.loaders.batch('tag:models', modelId, (ids: readonly number[]) =>
      new TagReader(context.services.database).models(ids),
    );
  }

  @Mutation(() => ApplyTagThresholdsPayload, {
    description:
      'Gives tags the thresholds that `tagQuality` suggests for them; what they are on is then worked out anew.',
  })
  async applyTagThresholds(
    @Arg('scheme', () => String, { nullable: true, defaultValue: 'general' }) scheme: string | null | undefined,
    @Arg('tagIds', () => [ID], { nullable: true }) tagIds: string[] | null | undefined,
    @Arg('minPrecision', () => Float, { nullable: true }) minPrecision: number | null | undefined,
    @Arg('minOfEach', () => Int, {
      nullable: true,
      defaultValue: LEAST_TO_APPLY,
      description: 'Accepted and rejected pairs that a tag must have; from fewer a threshold is mostly chance.',
    })
    minOfEach: number | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<ApplyTagThresholdsPayload> {
    requireRole(context, 'writer');
    const options = {
      tagIds: readIds(tagIds),
      minPrecision: minPrecision ?? undefined,
      minOfEach: minOfEach ?? undefined,
    };
    const ids = await serviceOf(context).applySuggested(scheme ?? 'general', options, context.actor);
    const tags = await Promise.all(ids.map((id) => context.loaders.record(tagConceptSpec as never, id)));
    return { tags: tags.filter((tag) => tag !== null) as TagConcept[] };
  }
}

@Resolver(() => TagQualityType)
class TagQualityResolver {
  @FieldResolver(() => TagConcept, { nullable: true, description: 'Null for the scheme as a whole.' })
  tag(@Root() quality: Quality, @Ctx() context: GraphQLContext): Promise<TagConcept | null> | null {
    if (quality.tagId === null) return null;
    return context.loaders.record(tagConceptSpec, quality.tagId) as Promise<TagConcept | null>;
  }

  @FieldResolver(() => Float, { nullable: true, description: 'How likely a pair of this score is to be accepted.' })
  probability(@Root() quality: Quality, @Arg('score', () => Float) score: number): number | null {
    return quality.calibration ? probabilityOf(quality.calibration, score) : null;
  }
}

export const tagQualityResolvers = [TagQualityReportResolver, TagQualityResolver];

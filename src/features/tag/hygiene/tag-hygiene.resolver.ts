import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  Float,
  Int,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';

import type { EmbeddingRow } from '../../../kernel/embedding/embedding-row';
import { badInput } from '../../../kernel/errors/bad-input';
import { connectionOf, type Connection } from '../../../kernel/graphql/connection';
import type { GraphQLContext } from '../../../kernel/graphql/context';
import type { RecordTypeFactory } from '../../../kernel/graphql/record-types';
import { decodeCursor, encodeCursor, readInteger, readPage } from '../../../kernel/record/page';
import { StoryChunkEmbedding } from '../../story/story.entity';
import { storySpec } from '../../story/story.spec';
import { checkThreshold, requireScheme } from '../scheme/tag-scheme-store';
import { TagConcept } from '../tag-concept.entity';
import { tagConceptSpec } from '../tag-concept.spec';
import { checkFirst } from '../vocabulary/tag-vocabulary.resolver';
import { MOST_COUNTED, MOST_DUPLICATES, TagHygiene, type HygieneStep } from './tag-hygiene';

const MS_PER_DAY = 86_400_000;
const MOST_COMPARED = 5000;

@ObjectType({ description: 'Two tags that may be one.' })
class NearDuplicateTags {
  @Field(() => TagConcept)
  tag!: TagConcept;

  @Field(() => TagConcept)
  other!: TagConcept;

  @Field(() => Float, { description: 'Cosine of the two.' })
  score!: number;
}

@ObjectType({ description: 'A tag on so many texts that it says little.' })
class BroadTagType {
  @Field(() => TagConcept)
  tag!: TagConcept;

  @Field(() => Float, { description: 'Of all texts that the scheme is for, 0 to 1.' })
  share!: number;
}

@ObjectType({ description: 'Passages without a tag that are like each other: a tag may be missing.' })
class MissingTagType {
  @Field(() => Int, { description: `Passages in the cluster; ${MOST_COUNTED} stands for as many or more.` })
  size!: number;

  @Field(() => Float, { description: 'Mean cosine of the others to the one in the middle.' })
  cohesion!: number;

  @Field(() => [StoryChunkEmbedding], { description: 'At most five, the one in the middle first.' })
  passages!: EmbeddingRow[];
}

/** What a step through everything says of itself. */
@ObjectType()
abstract class HygieneStepType {
  @Field(() => Int, { description: 'What this step has found in all; the first ones are listed.' })
  found!: number;

  @Field(() => Int, { description: 'How many this step has compared with all others.' })
  compared!: number;

  @Field(() => Int, { description: 'How many are left to be compared.' })
  remaining!: number;

  @Field(() => String, {
    nullable: true,
    description: 'For `after`, to go on; null when everything has been compared.',
  })
  endCursor!: string | null;
}

@ObjectType({ description: 'A step through a vocabulary, the latest tags first.' })
class NearDuplicateTagsStep extends HygieneStepType {
  @Field(() => [NearDuplicateTags], { description: 'The nearest first.' })
  pairs!: NearDuplicateTags[];
}

@ObjectType({ description: 'A step through the passages without a tag, the latest first.' })
class MissingTagsStep extends HygieneStepType {
  @Field(() => [MissingTagType], { description: 'The largest first.' })
  clusters!: MissingTagType[];
}

@ObjectType('TagHygiene', { description: 'Proposals to keep a vocabulary in order. They change nothing.' })
class TagHygieneType {
  scheme!: string;
}

@ArgsType()
class StepArguments {
  @Field(() => Int, { nullable: true, defaultValue: 20, description: 'How many of what is found are listed.' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'The `endCursor` of the step before.' })
  after?: string | null;

  @Field(() => Int, { nullable: true, description: `How many to compare in this step, at most ${MOST_COMPARED}.` })
  compare?: number | null;
}

@ArgsType()
class NearDuplicateArguments extends StepArguments {
  @Field(() => Float, { nullable: true, defaultValue: 0.85 })
  minScore?: number | null;
}

@ArgsType()
class MissingArguments extends StepArguments {
  @Field(() => Float, { nullable: true, defaultValue: 0.5 })
  minScore?: number | null;

  @Field(() => Int, { nullable: true, defaultValue: 3 })
  minSize?: number | null;
}

interface Step {
  first: number;
  beforeId?: number;
  compare: number;
}

function readStep({ first, after, compare }: StepArguments, listName: string, usual: number): Step {
  const size = compare ?? usual;
  if (!(size >= 1 && size <= MOST_COMPARED)) throw badInput('compare', `${size} is outside 1 to ${MOST_COMPARED}`);
  const beforeId = after == null ? undefined : decodeCursor(listName, after, readInteger);
  return { first: checkFirst(first ?? 20), beforeId, compare: size };
}

function stepOf({ found, compared, remaining, lastId }: HygieneStep<unknown>, listName: string): HygieneStepType {
  const endCursor = remaining > 0 && lastId !== undefined ? encodeCursor(listName, lastId) : null;
  return { found: found.length, compared, remaining, endCursor };
}

const tagOf = (id: number, context: GraphQLContext): Promise<TagConcept> =>
  context.loaders.record(tagConceptSpec, id) as Promise<TagConcept>;

export function tagHygieneResolver(factory: RecordTypeFactory): new () => object {
  @Resolver(() => TagHygieneType)
  class TagHygieneResolver {
    @Query(() => TagHygieneType, {
      description: 'Each field is worked out when it is selected, over all tags or passages there are.',
    })
    async tagHygiene(
      @Arg('scheme', () => String, { nullable: true, defaultValue: 'general' }) scheme: string | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<TagHygieneType> {
      const name = scheme ?? 'general';
      await requireScheme(context.services.database, name);
      return { scheme: name };
    }

    @FieldResolver(() => NearDuplicateTagsStep, {
      description: `Each pair once, at most ${MOST_DUPLICATES} of a tag. Compares 2000 tags a step unless told otherwise.`,
    })
    async nearDuplicates(
      @Root() { scheme }: TagHygieneType,
      @Args(() => NearDuplicateArguments) { minScore, ...options }: NearDuplicateArguments,
      @Ctx() context: GraphQLContext,
    ): Promise<NearDuplicateTagsStep> {
      checkThreshold('minScore', minScore ?? 0.85);
      const listName = `tagHygiene.nearDuplicates:${scheme}`;
      const { first, ...step } = readStep(options, listName, 2000);
      const result = await new TagHygiene(context.services).nearDuplicates(scheme, {
        minScore: minScore ?? 0.85,
        ...step,
      });
      const pairs = result.found.slice(0, first).map(async ({ tagId, otherId, score }) => ({
        tag: await tagOf(tagId, context),
        other: await tagOf(otherId, context),
        score,
      }));
      return { ...stepOf(result, listName), pairs: await Promise.all(pairs) };
    }

    @FieldResolver(() => factory.of(tagConceptSpec).connection, {
      description: 'On nothing, with nothing below; the oldest first.',
    })
    async unused(
      @Root() { scheme }: TagHygieneType,
      @Arg('olderThanDays', () => Float, { nullable: true, defaultValue: 0 }) days: number | null | undefined,
      @Arg('first', () => Int, { nullable: true }) first: number | null | undefined,
      @Arg('after', () => String, { nullable: true }) after: string | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<Connection<TagConcept>> {
      const listName = `tagHygiene.unused:${scheme}`;
      const { size, cursor } = readPage({ first, after });
      const afterId = cursor === undefined ? 0 : decodeCursor(listName, cursor, readInteger);
      const before = new Date(Date.now() - Math.max(0, days ?? 0) * MS_PER_DAY);
      const hygiene = new TagHygiene(context.services);
      const ids = await hygiene.unused(scheme, before, { afterId, limit: size + 1 });
      const tags = await Promise.all(ids.slice(0, size).map((id) => tagOf(id, context)));
      return connectionOf(
        tags,
        (i) => encodeCursor(listName, tags[i]?.id),
        { hasNextPage: ids.length > size, hasPreviousPage: afterId > 0 },
        () => hygiene.unusedCount(scheme, before),
      );
    }

    @FieldResolver(() => [BroadTagType], { description: 'Of all tags of the scheme, the broadest first.' })
    async tooBroad(
      @Root() { scheme }: TagHygieneType,
      @Arg('minShare', () => Float, { nullable: true, defaultValue: 0.25 }) minShare: number | null | undefined,
      @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<BroadTagType[]> {
      const share = minShare ?? 0.25;
      if (!(share >= 0 && share <= 1)) throw badInput('minShare', `${share} is outside 0 to 1`);
      const tags = await new TagHygiene(context.services).tooBroad(scheme, share, checkFirst(first ?? 20));
      return Promise.all(tags.map(async (one) => ({ tag: await tagOf(one.tagId, context), share: one.share })));
    }

    @FieldResolver(() => MissingTagsStep, {
      description:
        'Clusters of passages without a tag, of any scheme. Compares 500 passages a step unless told otherwise; a cluster that reaches over steps comes in each.',
    })
    async missing(
      @Args(() => MissingArguments) { minScore, minSize, ...options }: MissingArguments,
      @Ctx() context: GraphQLContext,
    ): Promise<MissingTagsStep> {
      checkThreshold('minScore', minScore ?? 0.5);
      const listName = 'tagHygiene.missing';
      const { first, ...step } = readStep(options, listName, 500);
      const result = await new TagHygiene(context.services).missing({
        minScore: minScore ?? 0.5,
        minSize: Math.max(2, minSize ?? 3),
        limit: first,
        ...step,
      });
      const clusters = result.found.slice(0, first).map(async ({ size, cohesion, chunkIds }) => {
        const rows = await Promise.all(chunkIds.map((id) => context.loaders.embeddingById(storySpec as never, id)));
        return { size, cohesion, passages: rows.filter((row) => row !== null) };
      });
      return { ...stepOf(result, listName), clusters: await Promise.all(clusters) };
    }
  }
  return TagHygieneResolver;
}

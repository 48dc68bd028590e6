import { Arg, Ctx, Field, FieldResolver, Float, Int, ObjectType, Query, Resolver, Root } from 'type-graphql';

import type { EmbeddingRow } from '../../../kernel/embedding/embedding-row';
import { DomainError } from '../../../kernel/errors/domain-error';
import type { GraphQLContext } from '../../../kernel/graphql/context';
import { checkThreshold } from '../scheme/tag-scheme-store';
import { StoryChunkEmbedding } from '../../story/story.entity';
import { storySpec } from '../../story/story.spec';
import { TagConcept } from '../tag-concept.entity';
import { tagConceptSpec } from '../tag-concept.spec';
import { checkFirst } from '../vocabulary/tag-vocabulary.resolver';
import { TagHygiene } from './tag-hygiene';

const MS_PER_DAY = 86_400_000;

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
  @Field(() => Int, { description: 'Passages in the cluster.' })
  size!: number;

  @Field(() => Float, { description: 'Mean cosine of the others to the one in the middle.' })
  cohesion!: number;

  @Field(() => [StoryChunkEmbedding], { description: 'At most five, the one in the middle first.' })
  passages!: EmbeddingRow[];
}

@ObjectType('TagHygiene', { description: 'Proposals to keep a vocabulary in order. They change nothing.' })
class TagHygieneType {
  scheme!: string;
}

const tagOf = (id: number, context: GraphQLContext): Promise<TagConcept> =>
  context.loaders.record(tagConceptSpec, id) as Promise<TagConcept>;

@Resolver(() => TagHygieneType)
export class TagHygieneResolver {
  @Query(() => TagHygieneType, { description: 'Each field is worked out when it is selected.' })
  tagHygiene(
    @Arg('scheme', () => String, { nullable: true, defaultValue: 'general' }) scheme: string | null | undefined,
  ): TagHygieneType {
    return { scheme: scheme ?? 'general' };
  }

  @FieldResolver(() => [NearDuplicateTags], { description: 'Among the latest 2000 tags, the nearest pairs first.' })
  async nearDuplicates(
    @Root() { scheme }: TagHygieneType,
    @Arg('minScore', () => Float, { nullable: true, defaultValue: 0.85 }) minScore: number | null | undefined,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<NearDuplicateTags[]> {
    checkThreshold('minScore', minScore ?? 0.85);
    const pairs = await new TagHygiene(context.services).nearDuplicates(
      scheme,
      minScore ?? 0.85,
      checkFirst(first ?? 20),
    );
    return Promise.all(
      pairs.map(async ({ tagId, otherId, score }) => ({
        tag: await tagOf(tagId, context),
        other: await tagOf(otherId, context),
        score,
      })),
    );
  }

  @FieldResolver(() => [TagConcept], { description: 'On nothing, with nothing below; the oldest first.' })
  async unused(
    @Root() { scheme }: TagHygieneType,
    @Arg('olderThanDays', () => Float, { nullable: true, defaultValue: 0 }) days: number | null | undefined,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<TagConcept[]> {
    const before = new Date(Date.now() - Math.max(0, days ?? 0) * MS_PER_DAY);
    const ids = await new TagHygiene(context.services).unused(scheme, before, checkFirst(first ?? 20));
    return Promise.all(ids.map((id) => tagOf(id, context)));
  }

  @FieldResolver(() => [BroadTagType], { description: 'The broadest first.' })
  async tooBroad(
    @Root() { scheme }: TagHygieneType,
    @Arg('minShare', () => Float, { nullable: true, defaultValue: 0.25 }) minShare: number | null | undefined,
    @Arg('first', () => Int, { nullable: true, defaultValue: 20 }) first: number | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<BroadTagType[]> {
    const share = minShare ?? 0.25;
    if (!(share >= 0 && share <= 1)) {
      throw new DomainError('BAD_INPUT', `minShare: ${share} is outside 0 to 1.`, { details: { field: 'minShare' } });
    }
    const tags = await new TagHygiene(context.services).tooBroad(scheme, share, checkFirst(first ?? 20));
    return Promise.all(tags.map(async (one) => ({ tag: await tagOf(one.tagId, context), share: one.share })));
  }

  @FieldResolver(() => [MissingTagType], {
    description: 'Among the latest 1000 passages without a tag, the largest first.',
  })
  async missing(
    @Arg('minScore', () => Float, { nullable: true, defaultValue: 0.5 }) minScore: number | null | undefined,
    @Arg('minSize', () => Int, { nullable: true, defaultValue: 3 }) minSize: number | null | undefined,
    @Arg('first', () => Int, { nullable: true, defaultValue: 10 }) first: number | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<MissingTagType[]> {
    checkThreshold('minScore', minScore ?? 0.5);
    const hygiene = new TagHygiene(context.services);
    const clusters = await hygiene.missing(minScore ?? 0.5, Math.max(2, minSize ?? 3), checkFirst(first ?? 10));
    return Promise.all(
      clusters.map(async ({ size, cohesion, chunkIds }) => {
        const rows = await Promise.all(chunkIds.map((id) => context.loaders.embeddingById(storySpec as never, id)));
        return { size, cohesion, passages: rows.filter((row) => row !== null) };
      }),
    );
  }
}

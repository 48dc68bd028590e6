import { Arg, Args, ArgsType, Ctx, Field, FieldResolver, Int, Resolver, Root } from 'type-graphql';

import { EmbeddingModel } from '../../kernel/model/embedding-model.entity';
import { connectionOf, type Connection } from '../../kernel/graphql/connection';
import type { GraphQLContext } from '../../kernel/graphql/context';
import type { RecordTypeFactory } from '../../kernel/graphql/record-types';
import { decodeCursor, encodeCursor, readInteger, readPage } from '../../kernel/record/page';
import { contentItemSpec } from '../content/content-item.spec';
import { jobDescriptionSpec } from '../job/job-description.spec';
import { Story } from '../story/story.entity';
import { storySpec } from '../story/story.spec';
import { TagStatus, type TagAssignment } from './tag-assignment.entity';
import { ChunkTag, RecordTag, StoryTag } from './tag-assignment.types';
import { TagConcept } from './tag-concept.entity';
import { tagConceptSpec } from './tag-concept.spec';
import { TagCurationResolver } from './curation/tag-curation.resolver';
import { tagDecisionResolvers } from './decisions/tag-decision.resolvers';
import { tagHygieneResolver } from './hygiene/tag-hygiene.resolver';
import { tagQualityResolvers } from './quality/tag-quality.resolver';
import { TagSchemeResolver } from './scheme/tag-scheme.resolver';
import { TagVocabularyResolver } from './vocabulary/tag-vocabulary.resolver';
import { loadTagged } from './load-tagged';
import { TagReader } from './tag.reader';
import { contentItems, jobDescriptions, storyChunks, taggables, type Taggable } from './taggable';

const DEFAULT_STATUSES = [TagStatus.SUGGESTED, TagStatus.ACCEPTED];

const readerOf = (context: GraphQLContext): TagReader => new TagReader(context.services.records.sql);

function assignmentsOf(taggable: Taggable, subjectId: number, context: GraphQLContext): Promise<TagAssignment[]> {
  return context.loaders.batch(`tag:assignments:${taggable.table}`, subjectId, (ids) =>
    readerOf(context).assignments(taggable, ids),
  );
}

function tagOf(id: number, context: GraphQLContext): Promise<TagConcept> {
  return context.loaders.record(tagConceptSpec, id) as Promise<TagConcept>;
}

/** What an assignment leads to. */
function assignedTagResolver(type: new () => object): new () => object {
  @Resolver(() => type)
  class AssignedTagResolver {
    @FieldResolver(() => TagConcept)
    tag(@Root() assigned: TagAssignment, @Ctx() context: GraphQLContext): Promise<TagConcept> {
      return tagOf(assigned.tagConceptId, context);
    }

    @FieldResolver(() => EmbeddingModel, { nullable: true, description: 'The model that the score is of.' })
    model(@Root() { modelId }: TagAssignment, @Ctx() context: GraphQLContext): Promise<EmbeddingModel | null> | null {
      if (modelId === null) return null;
      return context.loaders.batch('tag:models', modelId, (ids: readonly number[]) => readerOf(context).models(ids));
    }
  }
  return AssignedTagResolver;
}

/** The tags of what can be tagged: a chunk of a story, a content item, a job. */
function assignedTagsResolver(taggable: Taggable): new () => object {
  const subjectType = taggable.unit === 'chunk' ? taggable.kind.embedding?.entity : taggable.kind.entity;
  const tagType = taggable.unit === 'chunk' ? ChunkTag : RecordTag;

  @Resolver(() => subjectType as new () => object)
  class AssignedTagsResolver {
    @FieldResolver(() => [tagType], { description: 'Best first; not the rejected ones unless asked for.' })
    async tags(
      @Root() subject: { id: number },
      @Arg('status', () => [TagStatus], { nullable: true }) status: TagStatus[] | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<TagAssignment[]> {
      const wanted = status ?? DEFAULT_STATUSES;
      return (await assignmentsOf(taggable, subject.id, context)).filter((one) => wanted.includes(one.status));
    }
  }
  return AssignedTagsResolver;
}

@Resolver(() => Story)
class StoryTagsResolver {
  @FieldResolver(() => [StoryTag], { description: 'Most frequent first.' })
  async tags(
    @Root() story: Story,
    @Arg('status', () => [TagStatus], { nullable: true }) status: TagStatus[] | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<StoryTag[]> {
    const wanted = status ?? DEFAULT_STATUSES;
    const name = `tag:stories:${[...wanted].sort().join()}`;
    const rows = await context.loaders.batch(name, story.id, (ids: readonly number[]) =>
      readerOf(context).ofStories(ids, wanted),
    );
    return Promise.all(
      rows.map(async ({ tagConceptId, chunkCount, score }) => ({
        tag: await tagOf(tagConceptId, context),
        chunkCount,
        score,
      })),
    );
  }
}

@ArgsType()
class TaggedArguments {
  @Field(() => Int, { nullable: true })
  first?: number | null;

  @Field(() => String, { nullable: true })
  after?: string | null;

  @Field(() => [TagStatus], { nullable: true, description: 'Not the rejected ones unless asked for.' })
  status?: TagStatus[] | null;

  @Field(() => Boolean, { nullable: true, defaultValue: false, description: 'What carries a tag below it too.' })
  includeDescendants?: boolean | null;
}

/** A page of what carries a tag, in the order of their keys. */
async function taggedOf(
  taggable: Taggable,
  tagId: number,
  { first, after, status, includeDescendants }: TaggedArguments,
  context: GraphQLContext,
): Promise<Connection<object>> {
  const choice = { statuses: status ?? DEFAULT_STATUSES, isDeep: includeDescendants ?? false };
  const listName = `tag.${taggable.table}:${choice.isDeep ? 'deep' : 'own'}`;
  const { size, cursor } = readPage({ first, after });
  const afterId = cursor === undefined ? 0 : decodeCursor(listName, cursor, readInteger);
  const signature = `${listName}:${[...choice.statuses].sort().join()}`;
  const ids = await context.loaders.batch(`${signature}:${size}:${afterId}`, tagId, (keys: readonly number[]) =>
    readerOf(context).taggedIds(taggable, keys, { ...choice, afterId, limit: size + 1 }),
  );
  const load = async (id: number) => ({ id, node: await loadTagged(taggable, id, context) });
  const loaded = await Promise.all(ids.slice(0, size).map(load));
  const present = loaded.flatMap(({ id, node }) => (node ? [{ id, node }] : []));
  return connectionOf(
    present.map(({ node }) => node),
    (i) => encodeCursor(listName, present[i]?.id),
    { hasNextPage: ids.length > size, hasPreviousPage: afterId > 0 },
    () =>
      context.loaders.batch(`${signature}:count`, tagId, (keys: readonly number[]) =>
        readerOf(context).taggedCounts(taggable, keys, choice),
      ),
  );
}

function tagConceptResolver(factory: RecordTypeFactory): new () => object {
  const rows = factory.of(storySpec).rows;
  if (!rows) throw new Error('Story chunks are not records of their own');
  const chunkConnection = rows.connection;

  @Resolver(() => TagConcept)
  class TagConceptResolver {
    @FieldResolver(() => [TagConcept], { description: 'From the parent up to the root.' })
    async ancestors(@Root() tag: TagConcept, @Ctx() context: GraphQLContext): Promise<TagConcept[]> {
      const ids = await context.loaders.batch('tag:ancestors', tag.id, (keys: readonly number[]) =>
        readerOf(context).ancestors(keys),
      );
      return Promise.all(ids.map((id) => tagOf(id, context)));
    }

    @FieldResolver(() => [TagConcept], { description: 'Everything below, nearest first.' })
    async descendants(@Root() tag: TagConcept, @Ctx() context: GraphQLContext): Promise<TagConcept[]> {
      const ids = await context.loaders.batch('tag:descendants', tag.id, (keys: readonly number[]) =>
        readerOf(context).descendants(keys),
      );
      return Promise.all(ids.map((id) => tagOf(id, context)));
    }

    @FieldResolver(() => chunkConnection, { description: 'Passages that carry this tag.' })
    storyChunks(
      @Root() tag: TagConcept,
      @Args(() => TaggedArguments) options: TaggedArguments,
      @Ctx() context: GraphQLContext,
    ): Promise<Connection<object>> {
      return taggedOf(storyChunks, tag.id, options, context);
    }

    @FieldResolver(() => factory.of(contentItemSpec).connection, { description: 'Content items that carry this tag.' })
    contentItems(
      @Root() tag: TagConcept,
      @Args(() => TaggedArguments) options: TaggedArguments,
      @Ctx() context: GraphQLContext,
    ): Promise<Connection<object>> {
      return taggedOf(contentItems, tag.id, options, context);
    }

    @FieldResolver(() => factory.of(jobDescriptionSpec).connection, { description: 'Jobs that carry this tag.' })
    jobs(
      @Root() tag: TagConcept,
      @Args(() => TaggedArguments) options: TaggedArguments,
      @Ctx() context: GraphQLContext,
    ): Promise<Connection<object>> {
      return taggedOf(jobDescriptions, tag.id, options, context);
    }
  }
  return TagConceptResolver;
}

export function tagResolvers(factory: RecordTypeFactory): (new () => object)[] {
  return [
    assignedTagResolver(ChunkTag),
    assignedTagResolver(RecordTag),
    ...taggables.map(assignedTagsResolver),
    StoryTagsResolver,
    tagConceptResolver(factory),
    TagCurationResolver,
    TagSchemeResolver,
    TagVocabularyResolver,
    tagHygieneResolver(factory),
    ...tagQualityResolvers,
    ...tagDecisionResolvers,
  ];
}

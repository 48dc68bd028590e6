import {
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  Float,
  GraphQLISODateTime,
  Int,
  ObjectType,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';

import { connectionOf, type Connection } from '../../../kernel/graphql/connection';
import type { GraphQLContext } from '../../../kernel/graphql/context';
import { connectionTypes } from '../../../kernel/graphql/record-types';
import { EmbeddingModel } from '../../../kernel/model/embedding-model.entity';
import { decodeCursor, encodeCursor, readPage } from '../../../kernel/record/page';
import { NodeInterface } from '../../../kernel/record/record-base';
import { ContentItem } from '../../content/content-item.entity';
import { JobDescription } from '../../job/job-description.entity';
import { Story, StoryChunkEmbedding } from '../../story/story.entity';
import { loadTagged } from '../load-tagged';
import { TagConcept } from '../tag-concept.entity';
import { tagConceptSpec } from '../tag-concept.spec';
import { TagReader } from '../tag.reader';
import { taggableOf } from '../taggable';
import {
  ofChunk,
  ofRecord,
  ofStory,
  ofTag,
  TagDecisionReader,
  type DecisionAction,
  type DecisionRow,
  type DecisionScope,
} from './tag-decision.reader';

enum TagDecisionAction {
  ACCEPT = 'accept',
  REJECT = 'reject',
  ADD = 'add',
  REMOVE = 'remove',
  REOPEN = 'reopen',
}

registerEnumType(TagDecisionAction, {
  name: 'TagDecisionAction',
  description: 'What a person did to a tag on a text.',
  valuesConfig: {
    ACCEPT: { description: 'A tag that was there is right.' },
    REJECT: { description: 'It is wrong, and is not suggested again.' },
    ADD: { description: 'A tag that was not there is right.' },
    REMOVE: { description: 'A tag that a person had added was taken away.' },
    REOPEN: { description: 'It is a suggestion again; only plain SQL does so.' },
  },
});

@ObjectType('TagDecision', { description: 'What a person decided about a tag on a text. The log is only added to.' })
class TagDecisionType {
  @Field(() => TagDecisionAction)
  action!: DecisionAction;

  @Field(() => String, { description: 'Who, as `updatedBy` names callers.' })
  decidedBy!: string;

  @Field(() => GraphQLISODateTime)
  decidedAt!: Date;

  @Field(() => Float, { nullable: true, description: 'Cosine of text and tag at that time, where it was known.' })
  score!: number | null;

  @Field(() => String, { description: 'The tag’s name at that time.' })
  tagName!: string;
}

const TagDecisionConnection = connectionTypes('TagDecision', () => TagDecisionType, 'One page of decisions.');

@ArgsType()
class DecisionArguments {
  @Field(() => Int, { nullable: true })
  first?: number | null;

  @Field(() => String, { nullable: true })
  after?: string | null;

  @Field(() => [TagDecisionAction], { nullable: true, description: 'Only these; all unless given.' })
  action?: DecisionAction[] | null;
}

const readDecisionId = (position: unknown): string | undefined =>
  typeof position === 'string' && /^[1-9]\d{0,17}$/.test(position) ? position : undefined;

async function decisionsOf(
  scope: DecisionScope,
  id: number,
  { first, after, action }: DecisionArguments,
  context: GraphQLContext,
): Promise<Connection<DecisionRow>> {
  const listName = `tagDecisions:${scope.name}`;
  const { size, cursor } = readPage({ first, after });
  const beforeId = cursor === undefined ? undefined : decodeCursor(listName, cursor, readDecisionId);
  const actions = action ?? undefined;
  const reader = new TagDecisionReader(context.services.records.sql);
  const signature = `${listName}:${actions ? [...actions].sort().join() : '*'}`;
  const found = await context.loaders.batch(`${signature}:${size}:${beforeId ?? ''}`, id, (ids: readonly number[]) =>
    reader.pages(scope, ids, { actions, beforeId, limit: size + 1 }),
  );
  const page = found.slice(0, size);
  return connectionOf(
    page,
    (i) => encodeCursor(listName, page[i]?.id),
    { hasNextPage: found.length > size, hasPreviousPage: beforeId !== undefined },
    () =>
      context.loaders.batch(`${signature}:count`, id, (ids: readonly number[]) =>
        reader.counts(scope, ids, { actions }),
      ),
  );
}

/** The field that lists the decisions of one type. */
function decisionsResolver(type: new () => object, field: string, scope: DecisionScope, description: string) {
  @Resolver(() => type)
  class DecisionsResolver {
    @FieldResolver(() => TagDecisionConnection, { name: field, description })
    tagDecisions(
      @Root() { id }: { id: number },
      @Args(() => DecisionArguments) options: DecisionArguments,
      @Ctx() context: GraphQLContext,
    ): Promise<Connection<DecisionRow>> {
      return decisionsOf(scope, id, options, context);
    }
  }
  return DecisionsResolver;
}

/** What a decision leads to. */
@Resolver(() => TagDecisionType)
class TagDecisionResolver {
  @FieldResolver(() => TagConcept, { nullable: true, description: 'Null when it is gone.' })
  tag(@Root() { tagConceptId }: DecisionRow, @Ctx() context: GraphQLContext): Promise<TagConcept | null> | null {
    if (tagConceptId === null) return null;
    return context.loaders.record(tagConceptSpec, tagConceptId) as Promise<TagConcept | null>;
  }

  @FieldResolver(() => EmbeddingModel, { nullable: true, description: 'The model that the score is of.' })
  model(@Root() { modelId }: DecisionRow, @Ctx() context: GraphQLContext): Promise<EmbeddingModel | null> | null {
    if (modelId === null) return null;
    return context.loaders.batch('tag:models', modelId, (ids: readonly number[]) =>
      new TagReader(context.services.records.sql).models(ids),
    );
  }

  @FieldResolver(() => NodeInterface, {
    nullable: true,
    description: 'The passage, content item or job that was decided on. Null when it is gone.',
  })
  target(@Root() { kind, subjectId }: DecisionRow, @Ctx() context: GraphQLContext): Promise<object | null> | null {
    const taggable = taggableOf(kind);
    return taggable ? loadTagged(taggable, subjectId, context) : null;
  }

  @FieldResolver(() => NodeInterface, {
    nullable: true,
    description: 'The record that was decided on: of a passage its story. Null when it is gone.',
  })
  record(@Root() { kind, sourceId }: DecisionRow, @Ctx() context: GraphQLContext): Promise<object | null> | null {
    const taggable = taggableOf(kind);
    return taggable && sourceId !== null ? context.loaders.record(taggable.kind, sourceId) : null;
  }
}

export const tagDecisionResolvers = [
  TagDecisionResolver,
  decisionsResolver(TagConcept, 'decisions', ofTag, 'What was decided about it, the latest first.'),
  decisionsResolver(
    StoryChunkEmbedding,
    'tagDecisions',
    ofChunk,
    'What was decided about tags on this text in its story, the latest first.',
  ),
  decisionsResolver(Story, 'tagDecisions', ofStory, 'What was decided about tags on its passages, the latest first.'),
  decisionsResolver(
    ContentItem,
    'tagDecisions',
    ofRecord('content_item'),
    'What was decided about its tags, the latest first.',
  ),
  decisionsResolver(
    JobDescription,
    'tagDecisions',
    ofRecord('job_description'),
    'What was decided about its tags, the latest first.',
  ),
];

import { Arg, Ctx, Field, ID, Mutation, ObjectType, Resolver } from 'type-graphql';

import { DomainError } from '../../../kernel/errors/domain-error';
import type { GraphQLContext } from '../../../kernel/graphql/context';
import { requireRole } from '../../../kernel/graphql/require-role';
import { decodeGlobalId, decodeIdOf } from '../../../kernel/record/global-id';
import type { TagAssignment } from '../tag-assignment.entity';
import { RecordTag } from '../tag-assignment.types';
import { TagReader } from '../tag.reader';
import { taggables } from '../taggable';
import { TagCurator, type Decided, type Decision } from './tag-curator';

const MAX_TAGS = 200;

@ObjectType({ description: 'The tags that were decided on, as they are now.' })
class DecideTagsPayload {
  @Field(() => [RecordTag], { description: 'Without those that were removed.' })
  tags!: TagAssignment[];
}

/** @throws INVALID_ID, BAD_INPUT */
function readDecided(targetId: string, tagIds: readonly string[]): Decided {
  const { typeName, id } = decodeGlobalId(targetId, 'targetId');
  const taggable = taggables.find((candidate) => candidate.typeName === typeName);
  if (!taggable) {
    const allowed = taggables.map((candidate) => candidate.typeName);
    throw new DomainError('INVALID_ID', `targetId: a ${typeName} has no tags; they are put on ${allowed.join(', ')}.`, {
      details: { field: 'targetId', allowed },
    });
  }
  if (tagIds.length === 0 || tagIds.length > MAX_TAGS) {
    throw new DomainError('BAD_INPUT', `tagIds: give from 1 to ${MAX_TAGS} tags, not ${tagIds.length}.`, {
      details: { field: 'tagIds', max: MAX_TAGS },
    });
  }
  const ids = tagIds.map((tagId, i) => decodeIdOf('TagConcept', tagId, `tagIds[${i}]`));
  return { taggable, subjectId: id, tagIds: [...new Set(ids)] };
}

async function decide(
  decision: Decision,
  targetId: string,
  tagIds: readonly string[],
  context: GraphQLContext,
): Promise<DecideTagsPayload> {
  requireRole(context, 'writer');
  const decided = readDecided(targetId, tagIds);
  await new TagCurator(context.services).decide(decision, decided, context.actor);
  const reader = new TagReader(context.services.database);
  const [assignments = []] = await reader.assignments(decided.taggable, [decided.subjectId]);
  return { tags: assignments.filter(({ tagConceptId }) => decided.tagIds.includes(tagConceptId)) };
}

@Resolver()
export class TagCurationResolver {
  @Mutation(() => DecideTagsPayload, { description: 'Tags that were suggested for this text are right.' })
  acceptTags(
    @Arg('targetId', () => ID) targetId: string,
    @Arg('tagIds', () => [ID]) tagIds: string[],
    @Ctx() context: GraphQLContext,
  ): Promise<DecideTagsPayload> {
    return decide('accept', targetId, tagIds, context);
  }

  @Mutation(() => DecideTagsPayload, {
    description: 'These tags are wrong for this text; they are not suggested for it again.',
  })
  rejectTags(
    @Arg('targetId', () => ID) targetId: string,
    @Arg('tagIds', () => [ID]) tagIds: string[],
    @Ctx() context: GraphQLContext,
  ): Promise<DecideTagsPayload> {
    return decide('reject', targetId, tagIds, context);
  }

  @Mutation(() => DecideTagsPayload, {
    description: 'Puts tags on a text, whatever their similarity, and accepts those that are there.',
  })
  addTags(
    @Arg('targetId', () => ID) targetId: string,
    @Arg('tagIds', () => [ID]) tagIds: string[],
    @Ctx() context: GraphQLContext,
  ): Promise<DecideTagsPayload> {
    return decide('add', targetId, tagIds, context);
  }

  @Mutation(() => DecideTagsPayload, {
    description: 'Takes away what a person added; what similarity put there is rejected, or it would come back.',
  })
  removeTags(
    @Arg('targetId', () => ID) targetId: string,
    @Arg('tagIds', () => [ID]) tagIds: string[],
    @Ctx() context: GraphQLContext,
  ): Promise<DecideTagsPayload> {
    return decide('remove', targetId, tagIds, context);
  }
}

import { Arg, Ctx, Field, GraphQLISODateTime, ID, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql';

import { DomainError } from '../../../kernel/errors/domain-error';
import type { GraphQLContext } from '../../../kernel/graphql/context';
import { requireRole } from '../../../kernel/graphql/require-role';
import { decodeIdOf } from '../../../kernel/record/global-id';
import { MAX_PAGE_SIZE } from '../../../kernel/record/page';
import { TaggableKind } from '../scheme/tag-scheme.resolver';
import { requireScheme } from '../scheme/tag-scheme-store';
import { TagConcept } from '../tag-concept.entity';
import { tagConceptSpec } from '../tag-concept.spec';
import { taggables } from '../taggable';
import { TaggingQueue } from '../tagging/tagging-queue';
import { TagMerger } from './tag-merger';
import { popularTags } from './tag-usage';

const MS_PER_DAY = 86_400_000;
const DEFAULT_WINDOW_DAYS = 30;
const MAX_IDS = 1000;

@ObjectType({ description: 'A tag and how often it was used in a window of time.' })
class PopularTag {
  @Field(() => TagConcept)
  tag!: TagConcept;

  @Field(() => Int, { description: 'Texts that it was put on then and has not been rejected for.' })
  count!: number;
}

@ObjectType({ description: 'What went over from one tag to another.' })
class MergeTagsPayload {
  @Field(() => TagConcept)
  tag!: TagConcept;

  @Field(() => Int, { description: 'Assignments that the target did not have.' })
  assignments!: number;

  @Field(() => Int)
  decisions!: number;

  @Field(() => Int)
  children!: number;

  @Field(() => Int, { description: 'Names and aliases that lead to the target now.' })
  aliases!: number;
}

@ObjectType({ description: 'Work that was queued and is carried out in the background.' })
class QueuedTaggingPayload {
  @Field(() => Int, { description: 'Texts or tags.' })
  queued!: number;
}

export function checkFirst(first: number, max = MAX_PAGE_SIZE): number {
  if (first >= 1 && first <= max) return first;
  throw new DomainError('BAD_INPUT', `first: ${first} is outside 1 to ${max}.`, { details: { field: 'first', max } });
}

function checkCount(field: string, ids: readonly string[] | null | undefined): void {
  if (ids && ids.length > MAX_IDS) {
    throw new DomainError('BAD_INPUT', `${field}: ${ids.length} are more than ${MAX_IDS}.`, {
      details: { field, max: MAX_IDS },
    });
  }
}

const tagOf = (id: number, context: GraphQLContext): Promise<TagConcept> =>
  context.loaders.record(tagConceptSpec, id) as Promise<TagConcept>;

@Resolver()
export class TagVocabularyResolver {
  @Query(() => [PopularTag], { description: 'Tags that were used in a window of time, the most used first.' })
  async popularTags(
    @Arg('since', () => GraphQLISODateTime, { nullable: true, description: 'Thirty days ago unless given.' })
    since: Date | null | undefined,
    @Arg('until', () => GraphQLISODateTime, { nullable: true, description: 'Now unless given.' })
    until: Date | null | undefined,
    @Arg('scheme', () => String, { nullable: true }) scheme: string | null | undefined,
    @Arg('first', () => Int, { nullable: true, defaultValue: 10 }) first: number | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<PopularTag[]> {
    const end = until ?? new Date();
    const start = since ?? new Date(end.getTime() - DEFAULT_WINDOW_DAYS * MS_PER_DAY);
    if (start >= end) {
      throw new DomainError('BAD_INPUT', 'since: must be before `until`.', { details: { field: 'since' } });
    }
    const limit = checkFirst(first ?? 10);
    const { database } = context.services;
    if (typeof scheme === 'string') await requireScheme(database, scheme);
    const uses = await popularTags(database, { since: start, until: end, scheme: scheme ?? undefined, limit });
    return Promise.all(uses.map(async ({ tagId, count }) => ({ tag: await tagOf(tagId, context), count })));
  }

  @Mutation(() => TagConcept, {
    description: 'Moves a tag with everything below it; without a parent it becomes a root.',
  })
  async moveTag(
    @Arg('id', () => ID) id: string,
    @Arg('parentId', () => ID, { nullable: true }) parentId: string | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<TagConcept> {
    requireRole(context, 'writer');
    const tagId = decodeIdOf('TagConcept', id);
    const kind = context.services.registry.kind(tagConceptSpec.kind);
    await context.services.writer.update(kind, tagId, { parentId: parentId ?? null }, context.actor);
    return tagOf(tagId, context);
  }

  @Mutation(() => MergeTagsPayload, {
    description:
      'Makes two tags one: what the source is on, what was decided about it, its names and what is below it go to the target.',
  })
  async mergeTags(
    @Arg('sourceId', () => ID, { description: 'Deleted in the end.' }) sourceId: string,
    @Arg('targetId', () => ID) targetId: string,
    @Ctx() context: GraphQLContext,
  ): Promise<MergeTagsPayload> {
    requireRole(context, 'writer');
    const target = decodeIdOf('TagConcept', targetId, 'targetId');
    const source = decodeIdOf('TagConcept', sourceId, 'sourceId');
    const merge = await new TagMerger(context.services.database).merge(source, target, context.actor);
    return { ...merge, tag: await tagOf(target, context) };
  }

  @Mutation(() => QueuedTaggingPayload, {
    description:
      'Compares texts with all tags again, in the background. Rarely needed: every change does so by itself.',
  })
  async inferTags(
    @Arg('kinds', () => [TaggableKind], { nullable: true }) kinds: TaggableKind[] | null | undefined,
    @Arg('recordIds', () => [ID], { nullable: true, description: 'Stories, content items and jobs.' })
    recordIds: string[] | null | undefined,
    @Arg('untaggedOnly', () => Boolean, { nullable: true, defaultValue: false })
    untaggedOnly: boolean | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<QueuedTaggingPayload> {
    requireRole(context, 'writer');
    checkCount('recordIds', recordIds);
    const queue = new TaggingQueue(context.services.database);
    const isUntaggedOnly = untaggedOnly ?? false;
    if (!recordIds) return { queued: await queue.infer({ kinds: kinds ?? undefined, isUntaggedOnly }, context.actor) };
    const byKind = readRecordIds(recordIds);
    let queued = 0;
    for (const [kind, ids] of byKind) {
      if (kinds && !kinds.includes(kind as TaggableKind)) continue;
      queued += await queue.infer({ kinds: [kind], recordIds: ids, isUntaggedOnly }, context.actor);
    }
    return { queued };
  }

  @Mutation(() => QueuedTaggingPayload, {
    description:
      'Compares tags with all texts again, in the background. Rarely needed: every change does so by itself.',
  })
  async retag(
    @Arg('tagIds', () => [ID], { nullable: true }) tagIds: string[] | null | undefined,
    @Arg('scheme', () => String, { nullable: true }) scheme: string | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<QueuedTaggingPayload> {
    requireRole(context, 'writer');
    checkCount('tagIds', tagIds);
    const ids = tagIds?.map((id, i) => decodeIdOf('TagConcept', id, `tagIds[${i}]`));
    const { database } = context.services;
    if (typeof scheme === 'string') await requireScheme(database, scheme);
    const queue = new TaggingQueue(database);
    return { queued: await queue.retag({ tagIds: ids, scheme: scheme ?? undefined }, context.actor) };
  }
}

function readRecordIds(recordIds: readonly string[]): Map<string, number[]> {
  const byKind = new Map<string, number[]>();
  for (const [i, globalId] of recordIds.entries()) {
    const taggable = taggables.find(({ kind }) => globalIdFits(globalId, kind.names.type));
    const kind = taggable?.kind ?? taggables[0]?.kind;
    if (!kind) continue;
    const id = decodeIdOf(kind.names.type, globalId, `recordIds[${i}]`);
    byKind.set(kind.kind, [...(byKind.get(kind.kind) ?? []), id]);
  }
  return byKind;
}

function globalIdFits(globalId: string, typeName: string): boolean {
  return Buffer.from(globalId, 'base64').toString('utf8').startsWith(`${typeName}:`);
}

import { grouped } from '../grouped';
import { isLockNotAvailable } from '../../../kernel/db/database-errors';
import { DomainError } from '../../../kernel/errors/domain-error';
import type { FollowUpBatch, FollowUpTask } from '../../../kernel/outbox/follow-up';
import type { ClaimedKey } from '../../../kernel/outbox/outbox-store';
import type { Outcomes } from '../../../kernel/outbox/relay-step';
import { taggables } from '../taggable';
import { CompareTags } from './compare-tags';
import { TagSubjects } from './tag-subjects';
import { TAG_KIND, type TaggingParts } from './tagging-parts';

export const TAG_TOPIC = 'tag';

/** Tags compared in one request and one transaction; their candidates are in memory together. */
const TAGS_AT_ONCE = 64;

/**
 * Tags texts once they have a vector, and compares a tag with all texts once it has one. Whichever of a text and a tag
 * comes later finds the other.
 */
export class TagTask implements FollowUpTask {
  readonly topic = TAG_TOPIC;
  readonly kinds = [...taggables.map((taggable) => taggable.kind.kind), TAG_KIND];
  /** A text finds tags by the scheme in their payload, and only those that it calls not archived. */
  readonly payloadKinds = [TAG_KIND];
  /** Much of what a batch costs does not depend on its size. */
  readonly batchSize = 1024;
  readonly concurrency = 2;
  private readonly subjects: TagSubjects;
  private readonly tags: CompareTags;

  constructor(parts: TaggingParts) {
    this.subjects = new TagSubjects(parts);
    this.tags = new CompareTags(parts);
  }

  async run(batch: FollowUpBatch): Promise<Outcomes> {
    const outcomes: Outcomes = new Map();
    for (const [kind, keys] of grouped(batch.keys, (key) => key.kind)) {
      try {
        if (kind === TAG_KIND) await this.compareTags(keys, batch, outcomes);
        else await this.tagSubjects(kind, keys, batch, outcomes);
      } catch (error) {
        if (!isInterrupted(error)) throw error;
        for (const key of keys) if (!outcomes.has(key)) outcomes.set(key, { result: 'busy' });
      }
    }
    return outcomes;
  }

  private async tagSubjects(
    kind: string,
    keys: readonly ClaimedKey[],
    { isBulk, acknowledge }: FollowUpBatch,
    outcomes: Outcomes,
  ): Promise<void> {
    const keyOf = new Map(keys.map((key) => [key.key, key]));
    const result = await this.subjects.run(kind, [...keyOf.keys()], {
      isBulk,
      acknowledge: (transaction, points) =>
        acknowledge(
          transaction,
          points.flatMap((id) => keyOf.get(id) ?? []),
        ),
    });
    for (const id of result.done) outcomes.set(keyOf.get(id) as ClaimedKey, { result: 'done' });
    for (const id of result.busy) outcomes.set(keyOf.get(id) as ClaimedKey, { result: 'busy' });
  }

  private async compareTags(
    keys: readonly ClaimedKey[],
    { isBulk, signal, acknowledge }: FollowUpBatch,
    outcomes: Outcomes,
  ): Promise<void> {
    const keyOf = new Map(keys.map((key) => [key.key, key]));
    const ids = [...keyOf.keys()];
    for (let from = 0; from < ids.length; from += TAGS_AT_ONCE) {
      signal.throwIfAborted();
      const slice = ids.slice(from, from + TAGS_AT_ONCE);
      const changed = await this.tags.run(slice, {
        isBulk,
        acknowledge: (transaction, done) =>
          acknowledge(
            transaction,
            done.flatMap((id) => keyOf.get(id) ?? []),
          ),
      });
      for (const id of slice) {
        outcomes.set(keyOf.get(id) as ClaimedKey, { result: changed.has(id) ? 'busy' : 'done' });
      }
    }
  }
}

/** Whether somebody else was writing the same: locks met, or a text or tag went while it was written about. */
function isInterrupted(error: unknown): boolean {
  if (!(error instanceof DomainError)) return isLockNotAvailable(error);
  if (error.code === 'PARENT_NOT_FOUND') return error.details.field !== 'modelId';
  return error.code === 'CONFLICT' && error.retryable;
}

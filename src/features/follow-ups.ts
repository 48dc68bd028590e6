import type { FollowUpTask } from '../kernel/outbox/follow-up';
import { TagTask } from './tag/tagging/tag-task';
import type { TaggingParts } from './tag/tagging/tagging-parts';

/** What features do once a point has a new vector. */
export function featureFollowUps(parts: TaggingParts): FollowUpTask[] {
  return [new TagTask(parts)];
}

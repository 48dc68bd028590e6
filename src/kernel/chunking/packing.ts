import type { Span } from './spans';

/** A last group smaller than this share of the budget is evened out with the one before it. */
const TINY_TAIL_SHARE = 0.25;

/** As many spans a group as the budget holds, each in one group. The last group is not left tiny. */
export function* pack(spans: Iterable<Span>, budget: number): Generator<Span[]> {
  let previous: Span[] | undefined;
  let group: Span[] = [];
  let used = 0;
  for (const span of spans) {
    if (used > 0 && used + span.tokens > budget) {
      if (previous) yield previous;
      previous = group;
      group = [];
      used = 0;
    }
    group.push(span);
    used += span.tokens;
  }
  if (previous) {
    evenOutTail(previous, group, budget);
    yield previous;
  }
  if (group.length > 0) yield group;
}

/**
 * Groups that each begin with the last spans of the one before, up to `overlap` tokens of them. Every group has
 * something that the one before has not.
 */
export function* packOverlapping(spans: Iterable<Span>, budget: number, overlap: number): Generator<Span[]> {
  let group: Span[] = [];
  let used = 0;
  for (const span of spans) {
    if (group.length > 0 && used + span.tokens > budget) {
      yield group;
      group = sharedTail(group, Math.min(overlap, budget - span.tokens));
      used = totalTokens(group);
    }
    group.push(span);
    used += span.tokens;
  }
  if (group.length > 0) yield group;
}

/** The last spans of a group, not all of them, with at most so many tokens. */
function sharedTail(group: readonly Span[], most: number): Span[] {
  let first = group.length;
  for (let shared = 0; first > 1; first--) {
    shared += group[first - 1]?.tokens ?? 0;
    if (shared > most) break;
  }
  return group.slice(first);
}

/** Moves spans from the second last group to a tiny last one until the two are about equal. */
function evenOutTail(previous: Span[], last: Span[], budget: number): void {
  let tail = totalTokens(last);
  let head = totalTokens(previous);
  if (tail >= budget * TINY_TAIL_SHARE) return;
  while (previous.length > 1) {
    const moved = previous[previous.length - 1] as Span;
    if (tail + moved.tokens > Math.min(budget, head)) return;
    last.unshift(moved);
    previous.pop();
    tail += moved.tokens;
    head -= moved.tokens;
  }
}

const totalTokens = (group: readonly Span[]): number => group.reduce((total, { tokens }) => total + tokens, 0);

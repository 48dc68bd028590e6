import type { Span } from './spans';

/** Spans from `first` up to, not including, `end`. */
export interface SpanGroup {
  first: number;
  end: number;
}

/** A last group smaller than this share of the budget is evened out with the one before it. */
const TINY_TAIL_SHARE = 0.25;

/** As many spans a group as the budget holds, each in one group. The last group is not left tiny. */
export function pack(spans: readonly Span[], budget: number): SpanGroup[] {
  const groups: SpanGroup[] = [];
  let first = 0;
  let used = 0;
  for (const [i, { tokens }] of spans.entries()) {
    if (used > 0 && used + tokens > budget) {
      groups.push({ first, end: i });
      first = i;
      used = 0;
    }
    used += tokens;
  }
  if (spans.length > 0) groups.push({ first, end: spans.length });
  evenOutTail(spans, groups, budget);
  return groups;
}

/**
 * Groups that each begin with the last spans of the one before, up to `overlap` tokens of them. Every group has
 * something that the one before has not.
 */
export function packOverlapping(spans: readonly Span[], budget: number, overlap: number): SpanGroup[] {
  const groups: SpanGroup[] = [];
  const tokensAt = (i: number): number => spans[i]?.tokens ?? 0;
  for (let first = 0; first < spans.length;) {
    let end = first;
    for (let used = 0; end < spans.length && (end === first || used + tokensAt(end) <= budget); end++) {
      used += tokensAt(end);
    }
    groups.push({ first, end });
    if (end === spans.length) break;
    let next = end;
    for (let shared = tokensAt(next - 1); next - 1 > first; shared += tokensAt(next - 1)) {
      if (shared > overlap || shared + tokensAt(end) > budget) break;
      next -= 1;
    }
    first = next;
  }
  return groups;
}

/** Moves spans from the second last group to a tiny last one until the two are about equal. */
function evenOutTail(spans: readonly Span[], groups: readonly SpanGroup[], budget: number): void {
  const last = groups[groups.length - 1];
  const previous = groups[groups.length - 2];
  if (!last || !previous) return;
  const total = ({ first, end }: SpanGroup): number => {
    let tokens = 0;
    for (let i = first; i < end; i++) tokens += spans[i]?.tokens ?? 0;
    return tokens;
  };
  let tail = total(last);
  let head = total(previous);
  if (tail >= budget * TINY_TAIL_SHARE) return;
  while (previous.end - previous.first > 1) {
    const moved = spans[previous.end - 1]?.tokens ?? 0;
    if (tail + moved > Math.min(budget, head)) return;
    previous.end -= 1;
    last.first -= 1;
    tail += moved;
    head -= moved;
  }
}

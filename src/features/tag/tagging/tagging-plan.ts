import { TagSource, TagStatus } from '../tag-assignment.entity';
import type { AssignmentRow, Pair, ScoredPair } from './assignment-rows';
import type { SubjectCandidates, TagCandidate } from './tag-candidates';
import type { TagRules } from './tag-vocabulary';

/** What has to change so that a subject has the suggestions that it should have. */
export interface SubjectPlan {
  suggest: ScoredPair[];
  rescore: ScoredPair[];
  withdraw: Pair[];
  /** Whether deeper candidates might still be assigned. */
  isShort: boolean;
}

/** Scores that differ by less are the same: vectors are kept in single precision. */
const SCORE_TOLERANCE = 1e-5;

const isSuggestion = (row: AssignmentRow): boolean =>
  row.source === TagSource.AUTO && row.status === TagStatus.SUGGESTED && !row.isImplied;

const isImpliedSuggestion = (row: AssignmentRow): boolean => row.isImplied && row.status === TagStatus.SUGGESTED;

/**
 * Suggestions that hold: candidates above their tag's threshold, the best ones first, in the places that decisions leave.
 * What a person accepted takes a place; what a person rejected takes none and is never suggested again. A suggestion
 * gives way only to what is nearer: of equals, those stay that there are.
 */
export function planSubject(
  subjectId: number,
  found: readonly SubjectCandidates[],
  existing: readonly AssignmentRow[],
  rules: ReadonlyMap<number, TagRules>,
): SubjectPlan {
  const plan: SubjectPlan = { suggest: [], rescore: [], withdraw: [], isShort: false };
  const byTag = new Map(existing.map((row) => [row.tagId, row]));
  const held = new Set<number>();
  for (const { scheme, candidates, hasMore } of found) {
    const decided = existing.filter(
      (row) => row.scheme === scheme.name && !isSuggestion(row) && !row.isImplied && row.status !== TagStatus.REJECTED,
    );
    let places = Math.max(0, scheme.maxTags - decided.length);
    const nearness = ({ tagId, score }: TagCandidate): number => {
      const row = byTag.get(tagId);
      return row && isSuggestion(row) ? score + SCORE_TOLERANCE : score;
    };
    for (const candidate of [...candidates].sort((a, b) => nearness(b) - nearness(a))) {
      const row = byTag.get(candidate.tagId);
      if (!isAbove(candidate, rules.get(candidate.tagId), scheme.name)) continue;
      if (row && !isSuggestion(row) && !isImpliedSuggestion(row)) {
        if (!row.isImplied && hasChanged(row, candidate)) plan.rescore.push({ subjectId, ...pick(candidate) });
        continue;
      }
      if (places === 0) continue;
      places -= 1;
      held.add(candidate.tagId);
      if (!row) plan.suggest.push({ subjectId, ...pick(candidate) });
      else if (row.isImplied || hasChanged(row, candidate)) plan.rescore.push({ subjectId, ...pick(candidate) });
    }
    plan.isShort ||= places > 0 && hasMore;
  }
  for (const row of existing) {
    if (isSuggestion(row) && !held.has(row.tagId)) plan.withdraw.push({ subjectId, tagId: row.tagId });
  }
  return plan;
}

/** A tag whose vector has changed since is left to its own event. */
function isAbove(candidate: TagCandidate, rules: TagRules | undefined, scheme: string): boolean {
  return rules?.hash === candidate.hash && rules.scheme === scheme && candidate.score > rules.threshold;
}

function hasChanged(row: AssignmentRow, candidate: TagCandidate): boolean {
  return row.score === null || Math.abs(row.score - candidate.score) > SCORE_TOLERANCE;
}

const pick = ({ tagId, score }: TagCandidate): { tagId: number; score: number } => ({
  tagId,
  // Rounding may leave a cosine a little outside of what one can be.
  score: Math.min(1, Math.max(-1, score)),
});

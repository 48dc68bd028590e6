import type { Hit } from '../vector/vector-store';
import type { SearchHit, SearchRequest } from './search-request';

/** Chunks fetched for each record wanted; a record's own chunks crowd out others otherwise. */
const CHUNKS_PER_RECORD = 2;
export const MAX_CHUNKS = 5000;
/**
 * Candidates of each list that is fused or diversified: more than are returned, so that there is something to weigh, and
 * in coarse steps, because another number of candidates is another ranking, in which pages would repeat and skip.
 */
const LEAST_CANDIDATES = 100;
const CANDIDATE_STEP = 8;
const EVIDENCE_PER_RECORD = 5;

export type Candidate = Omit<SearchHit, 'record'>;

export function firstLimit(request: SearchRequest): number {
  const wanted = request.offset + request.first + 1;
  return Math.min(request.unit === 'row' ? wanted : wanted * CHUNKS_PER_RECORD, MAX_CHUNKS);
}

export function candidatesFor(limit: number): number {
  let candidates = LEAST_CANDIDATES;
  while (candidates < limit) candidates *= CANDIDATE_STEP;
  return Math.min(candidates, MAX_CHUNKS);
}

/** The vector server leaves ties in any order, which may change with the limit; pages need one order. */
export function inStableOrder(hits: readonly Hit[]): Hit[] {
  return [...hits].sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

/** Whether everything that ties with the page's last hit has been fetched, so that the tie's order is final. */
export function isTieComplete(last: SearchHit | undefined, ranked: readonly Hit[], request: SearchRequest): boolean {
  if (last === undefined || request.diversity !== undefined) return true;
  return (ranked.at(-1) as Hit).score < last.score;
}

/** Chunk hits by record, in order of each record's best chunk. */
export function groupHits(hits: readonly Hit[], unit: SearchRequest['unit']): Candidate[] {
  if (unit === 'row') {
    return hits.map((hit) => ({
      entityId: Number(hit.payload.entity_id),
      score: hit.score,
      chunks: [{ pointId: hit.id, score: hit.score }],
    }));
  }
  const byEntity = new Map<number, Candidate>();
  for (const hit of hits) {
    const entityId = Number(hit.payload.entity_id);
    const chunk = { pointId: hit.id, score: hit.score };
    const known = byEntity.get(entityId);
    if (!known) byEntity.set(entityId, { entityId, score: hit.score, chunks: [chunk] });
    else if (known.chunks.length < EVIDENCE_PER_RECORD) known.chunks.push(chunk);
  }
  return [...byEntity.values()];
}

/** Vectors around one in the middle. */
export interface Cluster {
  /** Positions, the one in the middle first, then the nearest to it. */
  members: number[];
  /** Mean cosine of the others to the one in the middle. */
  cohesion: number;
}

/**
 * Clusters of unit vectors, the largest first: the vector with most neighbours nearer than `minScore` takes them, then the
 * same among those left. Compares all pairs, so it is for a thousand or so.
 */
export function clusterVectors(vectors: readonly (readonly number[])[], minScore: number): Cluster[] {
  const neighbours = vectors.map(() => [] as { at: number; score: number }[]);
  for (let i = 0; i < vectors.length; i++) {
    for (let j = i + 1; j < vectors.length; j++) {
      const score = dot(vectors[i] as readonly number[], vectors[j] as readonly number[]);
      if (score <= minScore) continue;
      neighbours[i]?.push({ at: j, score });
      neighbours[j]?.push({ at: i, score });
    }
  }
  const left = new Set(vectors.keys());
  const clusters: Cluster[] = [];
  for (;;) {
    let middle = -1;
    let most: { at: number; score: number }[] = [];
    for (const at of left) {
      const open = (neighbours[at] ?? []).filter((one) => left.has(one.at));
      if (open.length > most.length) [middle, most] = [at, open];
    }
    if (middle < 0) return clusters;
    most.sort((a, b) => b.score - a.score);
    const members = [middle, ...most.map((one) => one.at)];
    for (const at of members) left.delete(at);
    clusters.push({ members, cohesion: most.reduce((sum, one) => sum + one.score, 0) / most.length });
  }
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** Something that is near. */
export interface Neighbour {
  id: number;
  /** Cosine. */
  score: number;
}

/** What lies around one in the middle. */
export interface Cluster {
  /** The one in the middle first, then the nearest to it. */
  members: number[];
  /** Mean cosine of the others to the one in the middle. */
  cohesion: number;
}

/**
 * Clusters, the largest first: the one with most neighbours takes them, then the same among those left.
 * @param neighbours of each that may be in the middle; they may have members that are none themselves
 */
export function clusterNeighbours(neighbours: ReadonlyMap<number, readonly Neighbour[]>): Cluster[] {
  const taken = new Set<number>();
  const left = new Set(neighbours.keys());
  const clusters: Cluster[] = [];
  for (;;) {
    let middle: number | undefined;
    let most: Neighbour[] = [];
    for (const id of left) {
      const open = (neighbours.get(id) ?? []).filter((one) => one.id !== id && !taken.has(one.id));
      if (open.length > most.length) [middle, most] = [id, open];
    }
    if (middle === undefined) return clusters;
    most.sort((a, b) => b.score - a.score);
    const members = [middle, ...most.map((one) => one.id)];
    for (const id of members) {
      taken.add(id);
      left.delete(id);
    }
    clusters.push({ members, cohesion: most.reduce((sum, one) => sum + one.score, 0) / most.length });
  }
}

import type { VectorStore } from '../vector/vector-store';
import { VectorStoreRejectedError } from '../vector/vector-store.errors';
import { readVectorHome } from '../vector/vector-home';
import type { PlannedPoint } from './point-plan';

const ABSENT = 404;

/** Vectors that somebody else made and that are taken over as they are, read where they are kept. */
export class AdoptedVectors {
  constructor(private readonly store: VectorStore) {}

  /**
   * @param dimensions of the collection that takes them
   * @returns by point id; without those that are not there or do not fit
   */
  async find(points: readonly PlannedPoint[], dimensions: number): Promise<Map<string, Float32Array>> {
    const byHome = new Map<string, string[]>();
    for (const { pointId, adoptedFrom } of points) {
      if (adoptedFrom === null) continue;
      byHome.set(adoptedFrom, [...(byHome.get(adoptedFrom) ?? []), pointId]);
    }
    const found = new Map<string, Float32Array>();
    for (const [home, ids] of byHome) {
      for (const [id, vector] of await this.read(home, ids)) {
        if (vector.length === dimensions) found.set(id, Float32Array.from(vector));
      }
    }
    return found;
  }

  private async read(home: string, ids: readonly string[]): Promise<Map<string, number[]>> {
    const { collection, vector } = readVectorHome(home);
    try {
      return await this.store.retrieveVectors(collection, ids, vector);
    } catch (error) {
      // Nobody promised that the collection stays.
      if (error instanceof VectorStoreRejectedError && error.status === ABSENT) return new Map();
      throw error;
    }
  }
}

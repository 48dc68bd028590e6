import type { SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
import { queryVector } from '../embedding/lexical';
import type { RecordKind } from '../record/record-spec';
import type { CollectionCatalog } from '../vector/collections';
import {
  DENSE,
  LEXICAL,
  type QueryTarget,
  type StoredPoint,
  type VectorName,
  type VectorStore,
} from '../vector/vector-store';
import { VectorStoreRejectedError } from '../vector/vector-store.errors';

/** Records of one kind that are erased, and their points. */
export interface ErasedRecords {
  kind: RecordKind;
  ids: number[];
  pointIds: string[];
}

/** What to search for once records are gone: the words and the vectors that they had. */
export interface ProbeQuestions {
  kind: RecordKind;
  lexical: QueryTarget[];
  /** By collection: a vector says nothing where another model's are. */
  dense: ReadonlyMap<string, QueryTarget[]>;
}

/** Texts and vectors of a kind that are searched for. */
const MAX_QUESTIONS = 50;
const MAX_CHARACTERS = 2_000;
const QUESTIONS_PER_BATCH = 25;
const HITS = 20;
const PAGE_SIZE = 1_000;
const ABSENT = 404;

/**
 * Looks for erased records in the vector server by every way that leads to points, by id, by words and by meaning: in every
 * collection of their kinds, whichever model's it is and whether or not anything reads it.
 */
export class SearchProbes {
  constructor(
    private readonly sql: SqlRunner,
    private readonly store: VectorStore,
    private readonly catalog: CollectionCatalog,
  ) {}

  /** Reads what to search for, while it is still there. */
  async prepare(erased: readonly ErasedRecords[]): Promise<ProbeQuestions[]> {
    const collections = await this.collectionsOf(erased);
    return Promise.all(
      erased.map(async ({ kind, ids, pointIds }) => {
        const rows = await this.sql.query<{ text: string }>(
          `SELECT left(text, ${MAX_CHARACTERS}) AS text FROM ${specOf(kind).table}
           WHERE ${specOf(kind).sourceColumn} = ANY ($1::int[]) ORDER BY id LIMIT ${MAX_QUESTIONS}`,
          [ids],
        );
        const { dense } = await this.stored(collections.get(kind.kind) ?? [], pointIds);
        return { kind, lexical: rows.map(({ text }) => ({ lexical: queryVector(text) })), dense };
      }),
    );
  }

  /** The same of records whose rows are gone: the vectors of those points that are still there. */
  async prepareFromPoints(erased: readonly ErasedRecords[]): Promise<ProbeQuestions[]> {
    const collections = await this.collectionsOf(erased);
    return Promise.all(
      erased.map(async ({ kind, pointIds }) => {
        const { lexical, dense } = await this.stored(collections.get(kind.kind) ?? [], pointIds);
        return { kind, lexical: [...lexical.values()], dense };
      }),
    );
  }

  /** Points of these records in any collection, whether found by their ids or by what their payload says. */
  async countPoints(erased: readonly ErasedRecords[]): Promise<number> {
    const collections = await this.collectionsOf(erased);
    let count = 0;
    for (const { kind, ids, pointIds } of erased) {
      for (const collection of collections.get(kind.kind) ?? []) {
        count += await unlessGone(this.countIn(collection, ids, pointIds), 0);
      }
    }
    return count;
  }

  /** Deletes the points from collections that nothing is written to any more, which the relay leaves alone. */
  async deleteFromRetired(erased: readonly ErasedRecords[]): Promise<void> {
    const names = erased.map(({ kind }) => kind.kind);
    const [targets, collections] = [await this.catalog.targets(names), await this.collectionsOf(erased)];
    for (const { kind, pointIds } of erased) {
      const current = targets.get(kind.kind)?.collections ?? [];
      const retired = (collections.get(kind.kind) ?? []).filter((name) => !current.includes(name));
      const points = pointIds.map((id) => ({ id }));
      for (const collection of retired) await unlessGone(this.store.delete(collection, points), undefined);
    }
  }

  /** Searches as a reader would. @returns hits that are erased records */
  async ask(
    questions: readonly ProbeQuestions[],
    erased: readonly ErasedRecords[],
  ): Promise<{ lexicalHits: number; vectorHits: number }> {
    const collections = await this.collectionsOf(erased);
    let lexicalHits = 0;
    let vectorHits = 0;
    for (const { kind, lexical, dense } of questions) {
      const records = erased.find((one) => one.kind === kind);
      if (!records) continue;
      for (const collection of collections.get(kind.kind) ?? []) {
        lexicalHits += await unlessGone(this.countHits(records, collection, lexical), 0);
        vectorHits += await unlessGone(this.countHits(records, collection, dense.get(collection) ?? []), 0);
      }
    }
    return { lexicalHits, vectorHits };
  }

  private collectionsOf(erased: readonly ErasedRecords[]): Promise<Map<string, string[]>> {
    return this.catalog.everyCollection(erased.map(({ kind }) => kind.kind));
  }

  /** The vectors of points that are still there: of words by point, because they are the same in all collections. */
  private async stored(
    collections: readonly string[],
    pointIds: readonly string[],
  ): Promise<{ lexical: Map<string, QueryTarget>; dense: Map<string, QueryTarget[]> }> {
    const lexical = new Map<string, QueryTarget>();
    const dense = new Map<string, QueryTarget[]>();
    const options = { payload: false, vectors: [DENSE, LEXICAL] as VectorName[] };
    for (const collection of collections) {
      const reading = this.store.retrieve(collection, pointIds.slice(0, MAX_QUESTIONS), options);
      const points = await unlessGone<StoredPoint[]>(reading, []);
      for (const point of points) if (point.lexical) lexical.set(point.id, { lexical: point.lexical });
      dense.set(
        collection,
        points.flatMap((point) => (point.dense ? [{ dense: point.dense }] : [])),
      );
    }
    return { lexical, dense };
  }

  private async countIn(collection: string, ids: readonly number[], pointIds: readonly string[]): Promise<number> {
    let byId = 0;
    for (let from = 0; from < pointIds.length; from += PAGE_SIZE) {
      const page = pointIds.slice(from, from + PAGE_SIZE);
      byId += (await this.store.retrieve(collection, page, { payload: false, vectors: [] })).length;
    }
    const byPayload = await this.store.count(collection, { must: [{ key: 'entity_id', match: { any: [...ids] } }] });
    return Math.max(byId, byPayload);
  }

  private async countHits(
    { ids, pointIds }: ErasedRecords,
    collection: string,
    targets: readonly QueryTarget[],
  ): Promise<number> {
    const [erasedIds, erasedPoints] = [new Set(ids), new Set(pointIds)];
    let count = 0;
    for (let from = 0; from < targets.length; from += QUESTIONS_PER_BATCH) {
      const answers = await this.store.queryBatch(
        collection,
        targets.slice(from, from + QUESTIONS_PER_BATCH).map((target) => ({
          targets: [{ target, weight: 1, limit: HITS }],
          limit: HITS,
          payloadKeys: ['entity_id'],
        })),
      );
      const hits = answers.flat();
      count += hits.filter(
        ({ id, payload }) => erasedPoints.has(id) || erasedIds.has(Number(payload.entity_id)),
      ).length;
    }
    return count;
  }
}

/** A collection that is deleted between two requests holds nothing. */
async function unlessGone<T>(work: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof VectorStoreRejectedError && error.status === ABSENT) return otherwise;
    throw error;
  }
}

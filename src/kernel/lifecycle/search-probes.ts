import type { SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
import { queryVector } from '../embedding/lexical';
import type { RecordKind } from '../record/record-spec';
import type { CollectionCatalog } from '../vector/collections';
import { DENSE, LEXICAL, type QueryTarget, type VectorStore } from '../vector/vector-store';

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
  dense: QueryTarget[];
}

/** Texts and vectors of a kind that are searched for. */
const MAX_QUESTIONS = 50;
const MAX_CHARACTERS = 2_000;
const QUESTIONS_PER_BATCH = 25;
const HITS = 20;
const PAGE_SIZE = 1_000;

/** Looks for erased records in the vector server by every way that leads to points: by id, by words and by meaning. */
export class SearchProbes {
  constructor(
    private readonly sql: SqlRunner,
    private readonly store: VectorStore,
    private readonly catalog: CollectionCatalog,
  ) {}

  /** Reads what to search for, while it is still there. */
  prepare(erased: readonly ErasedRecords[]): Promise<ProbeQuestions[]> {
    return Promise.all(
      erased.map(async ({ kind, ids, pointIds }) => {
        const rows = await this.sql.query<{ text: string }>(
          `SELECT left(text, ${MAX_CHARACTERS}) AS text FROM ${specOf(kind).table}
           WHERE ${specOf(kind).sourceColumn} = ANY ($1::int[]) ORDER BY id LIMIT ${MAX_QUESTIONS}`,
          [ids],
        );
        const points = await this.store.retrieve(this.catalog.alias(kind.kind), pointIds.slice(0, MAX_QUESTIONS), {
          payload: false,
          vectors: [DENSE],
        });
        return {
          kind,
          lexical: rows.map(({ text }) => ({ lexical: queryVector(text) })),
          dense: points.flatMap(({ dense }) => (dense ? [{ dense }] : [])),
        };
      }),
    );
  }

  /** The same of records whose rows are gone: the vectors of those points that are still there. */
  prepareFromPoints(erased: readonly ErasedRecords[]): Promise<ProbeQuestions[]> {
    return Promise.all(
      erased.map(async ({ kind, pointIds }) => {
        const points = await this.store.retrieve(this.catalog.alias(kind.kind), pointIds.slice(0, MAX_QUESTIONS), {
          payload: false,
          vectors: [DENSE, LEXICAL],
        });
        return {
          kind,
          lexical: points.flatMap(({ lexical }) => (lexical ? [{ lexical }] : [])),
          dense: points.flatMap(({ dense }) => (dense ? [{ dense }] : [])),
        };
      }),
    );
  }

  /** Points of these records in any collection, whether found by their ids or by what their payload says. */
  async countPoints(erased: readonly ErasedRecords[]): Promise<number> {
    const collections = await this.catalog.everyCollection(erased.map(({ kind }) => kind.kind));
    let count = 0;
    for (const { kind, ids, pointIds } of erased) {
      for (const collection of collections.get(kind.kind) ?? []) {
        let byId = 0;
        for (let from = 0; from < pointIds.length; from += PAGE_SIZE) {
          const page = pointIds.slice(from, from + PAGE_SIZE);
          byId += (await this.store.retrieve(collection, page, { payload: false, vectors: [] })).length;
        }
        const byPayload = await this.store.count(collection, { must: [{ key: 'entity_id', match: { any: ids } }] });
        count += Math.max(byId, byPayload);
      }
    }
    return count;
  }

  /** Deletes the points from collections that nothing is written to any more, which the relay leaves alone. */
  async deleteFromRetired(erased: readonly ErasedRecords[]): Promise<void> {
    const names = erased.map(({ kind }) => kind.kind);
    const [targets, collections] = [await this.catalog.targets(names), await this.catalog.everyCollection(names)];
    for (const { kind, pointIds } of erased) {
      const current = targets.get(kind.kind)?.collections ?? [];
      const retired = (collections.get(kind.kind) ?? []).filter((name) => !current.includes(name));
      for (const collection of retired)
        await this.store.delete(
          collection,
          pointIds.map((id) => ({ id })),
        );
    }
  }

  /** Searches as a reader would. @returns hits that are erased records */
  async ask(
    questions: readonly ProbeQuestions[],
    erased: readonly ErasedRecords[],
  ): Promise<{ lexicalHits: number; vectorHits: number }> {
    let lexicalHits = 0;
    let vectorHits = 0;
    for (const { kind, lexical, dense } of questions) {
      const records = erased.find((one) => one.kind === kind);
      if (!records) continue;
      lexicalHits += await this.countHits(records, lexical);
      vectorHits += await this.countHits(records, dense);
    }
    return { lexicalHits, vectorHits };
  }

  private async countHits({ kind, ids, pointIds }: ErasedRecords, targets: readonly QueryTarget[]): Promise<number> {
    const [erasedIds, erasedPoints] = [new Set(ids), new Set(pointIds)];
    let count = 0;
    for (let from = 0; from < targets.length; from += QUESTIONS_PER_BATCH) {
      const answers = await this.store.queryBatch(
        this.catalog.alias(kind.kind),
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

import type { VectorFilter } from '../../kernel/vector/vector-filter';
import { VectorStoreRejectedError } from '../../kernel/vector/vector-store.errors';
import type {
  CollectionInfo,
  CollectionSpec,
  Hit,
  Payload,
  PayloadIndexType,
  Point,
  PointId,
  SparseVector,
  StoredPoint,
  VectorLayout,
  VectorName,
  VectorQuery,
  VectorStore,
} from '../../kernel/vector/vector-store';
import { compileFilter } from './filter.compile';
import { answerableQuery, namedExamples, type IsStored } from './answerable-query';
import { collectionPath, QdrantAdministration } from './qdrant.administration';
import { QdrantTransport, type QdrantStoreOptions } from './qdrant.transport';
import type { Schemas } from './qdrant.types';
import { sentId } from './sent-id';
import { compileQuery, type CompiledQuery } from './vector-query.compile';
import { deleteBodies, overwriteBodies, upsertBodies } from './write.bodies';

export class QdrantStore implements VectorStore {
  readonly #transport: QdrantTransport;
  readonly #administration: QdrantAdministration;

  constructor(options: QdrantStoreOptions) {
    this.#transport = new QdrantTransport(options);
    this.#administration = new QdrantAdministration(this.#transport);
  }

  async ping(signal?: AbortSignal): Promise<{ title: string; version: string }> {
    const { title, version } = await this.#transport.sendBare<Schemas['VersionInfo']>('GET', '/', { signal });
    return { title, version };
  }

  describeCollection(name: string): Promise<CollectionInfo | undefined> {
    return this.#administration.describeCollection(name);
  }

  createCollection(spec: CollectionSpec): Promise<void> {
    return this.#administration.createCollection(spec);
  }

  createPayloadIndex(collection: string, key: string, type: PayloadIndexType): Promise<void> {
    return this.#administration.createPayloadIndex(collection, key, type);
  }

  deleteCollection(name: string): Promise<boolean> {
    return this.#administration.deleteCollection(name);
  }

  listCollections(): Promise<string[]> {
    return this.#administration.listCollections();
  }

  listAliases(): Promise<Record<string, string>> {
    return this.#administration.listAliases();
  }

  setAliases(aliases: Record<string, string>): Promise<void> {
    return this.#administration.setAliases(aliases);
  }

  async upsert(collection: string, points: readonly Point[]): Promise<void> {
    const path = `${collectionPath(collection)}/points?wait=true`;
    for (const body of upsertBodies(points)) await this.#transport.send('PUT', path, { body });
  }

  async overwritePayloads(collection: string, points: readonly { id: PointId; payload: Payload }[]): Promise<void> {
    const path = `${collectionPath(collection)}/points/batch?wait=true`;
    for (const body of overwriteBodies(points)) await this.#transport.send('POST', path, { body });
  }

  async delete(collection: string, points: readonly { id: PointId; revision?: number }[]): Promise<void> {
    const path = `${collectionPath(collection)}/points/delete?wait=true`;
    for (const body of deleteBodies(points)) await this.#transport.send('POST', path, { body });
  }

  async queryBatch(collection: string, queries: readonly VectorQuery[]): Promise<Hit[][]> {
    if (queries.length === 0) return [];
    const compiled = queries.map((query) => this.#compile(collection, query));
    try {
      return await this.#sendQueries(collection, compiled);
    } catch (error) {
      if (!(error instanceof VectorStoreRejectedError) || error.status !== 404) throw error;
      const answerable = await this.#withStoredExamples(collection, queries);
      if (!answerable) throw error;
      return this.#sendQueries(collection, answerable);
    }
  }

  async retrieve(
    collection: string,
    ids: readonly PointId[],
    want: { payload: boolean | string[]; vectors: VectorName[] },
  ): Promise<StoredPoint[]> {
    if (ids.length === 0) return [];
    const body: Schemas['PointRequest'] = {
      ids: [...ids],
      with_payload: payloadSelector(want.payload),
      with_vector: want.vectors.length > 0 ? want.vectors : false,
    };
    const path = `${collectionPath(collection)}/points`;
    const records = await this.#transport.send<Schemas['Record'][]>('POST', path, { body });
    return records.map(storedPoint);
  }

  describeVectors(collection: string): Promise<VectorLayout[] | undefined> {
    return this.#administration.describeVectors(collection);
  }

  async retrieveVectors(collection: string, ids: readonly PointId[], vector: string): Promise<Map<PointId, number[]>> {
    if (ids.length === 0) return new Map();
    const with_vector = vector === '' ? true : [vector];
    const body: Schemas['PointRequest'] = { ids: [...ids], with_payload: false, with_vector };
    const path = `${collectionPath(collection)}/points`;
    const records = await this.#transport.send<Schemas['Record'][]>('POST', path, { body });
    return new Map(
      records.flatMap(({ id, vector: stored }) => {
        const found = vector === '' ? stored : (stored as Record<string, unknown> | null | undefined)?.[vector];
        return isVector(found) ? [[String(id), found] as const] : [];
      }),
    );
  }

  async scroll(
    collection: string,
    page: { filter?: VectorFilter; limit: number; after?: PointId; payload: boolean | string[] },
  ): Promise<{ points: StoredPoint[]; next: PointId | undefined }> {
    const body: Schemas['ScrollRequest'] = {
      limit: page.limit,
      with_payload: payloadSelector(page.payload),
      with_vector: false,
      ...(page.filter ? { filter: compileFilter(page.filter) } : {}),
      ...(page.after === undefined ? {} : { offset: sentId(page.after) }),
    };
    const path = `${collectionPath(collection)}/points/scroll`;
    const result = await this.#transport.send<Schemas['ScrollResult']>('POST', path, { body });
    const next = result.next_page_offset;
    return {
      points: result.points.map(storedPoint),
      next: next === null || next === undefined ? undefined : String(next),
    };
  }

  async count(collection: string, filter?: VectorFilter): Promise<number> {
    const body: Schemas['CountRequest'] = { exact: true, ...(filter ? { filter: compileFilter(filter) } : {}) };
    const path = `${collectionPath(collection)}/points/count`;
    return (await this.#transport.send<Schemas['CountResult']>('POST', path, { body })).count;
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  /** A query that is `undefined` has nothing to ask and is answered with no hits. */
  async #sendQueries(collection: string, queries: readonly (CompiledQuery | undefined)[]): Promise<Hit[][]> {
    const asked = queries.filter((query) => query !== undefined);
    if (asked.length === 0) return queries.map(() => []);
    const body: Schemas['QueryRequestBatch'] = { searches: asked.map(({ request }) => request) };
    const path = `${collectionPath(collection)}/points/query/batch`;
    const answers = await this.#transport.send<Schemas['QueryResponse'][]>('POST', path, { body });
    let position = 0;
    return queries.map((query) => (query ? hits(answers[position++], query.scoreOf) : []));
  }

  /**
   * Qdrant refuses a whole batch for one example point that is not stored (not yet written, or deleted since). Finds
   * out which are there; `undefined` when all are, so that the refusal was about something else.
   */
  async #withStoredExamples(
    collection: string,
    queries: readonly VectorQuery[],
  ): Promise<(CompiledQuery | undefined)[] | undefined> {
    const named = [...namedExamples(collection, queries)];
    const stored = new Map<string, Set<PointId>>();
    let isAnyAbsent = false;
    for (const [home, ids] of named) {
      const found = await this.retrieve(home, [...ids], { payload: false, vectors: [] });
      stored.set(home, new Set(found.map(({ id }) => id)));
      isAnyAbsent ||= found.length < ids.size;
    }
    if (!isAnyAbsent) return undefined;
    return queries.map((query) => this.#compile(collection, query, (home, id) => stored.get(home)?.has(id) ?? false));
  }

  /** `undefined` when the query has nothing to compare with, so that no hit can answer it. */
  #compile(collection: string, query: VectorQuery, isStored?: IsStored): CompiledQuery | undefined {
    const answerable = answerableQuery(collection, query, isStored);
    // A fusion that lost targets stays one, so that its scores keep their scale.
    return answerable && compileQuery(collection, answerable, query.targets.length > 1);
  }
}

function hits(answer: Schemas['QueryResponse'] | undefined, scoreOf: (score: number) => number): Hit[] {
  return (answer?.points ?? []).map((point) => ({
    id: String(point.id),
    score: scoreOf(point.score),
    payload: (point.payload ?? {}) as Payload,
  }));
}

function payloadSelector(wanted: boolean | string[]): boolean | string[] {
  return Array.isArray(wanted) && wanted.length === 0 ? false : wanted;
}

/** Neither a sparse vector nor several. */
function isVector(value: unknown): value is number[] {
  return Array.isArray(value) && typeof value[0] === 'number';
}

function storedPoint(record: Schemas['Record']): StoredPoint {
  const point: StoredPoint = { id: String(record.id), payload: (record.payload ?? {}) as Payload };
  const vectors = record.vector as { dense?: number[]; lexical?: SparseVector } | null | undefined;
  if (vectors?.dense) point.dense = vectors.dense;
  if (vectors?.lexical) point.lexical = vectors.lexical;
  return point;
}

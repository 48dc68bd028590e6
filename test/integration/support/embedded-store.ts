import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { startEmbeddedQdrant } from '../../../src/adapters/embedded-qdrant';
import { createQdrantStore, type QdrantRequestReport } from '../../../src/adapters/qdrant';
import type { CollectionSpec, Payload, Point, VectorQuery, VectorStore } from '../../../src/kernel/vector/vector-store';

export interface StoreUnderTest {
  readonly store: VectorStore;
  /** A collection of three dimensions that no other test has. */
  spec(over?: Partial<CollectionSpec>): CollectionSpec;
  /** Creates one and writes the points; its name. */
  collectionOf(points: Point[]): Promise<string>;
  /** What the call sent, as `METHOD path`. */
  requestsOf(call: () => Promise<unknown>): Promise<string[]>;
}

/** The adapter over real HTTP to an embedded server of this file's own. */
export function useStore(): StoreUnderTest {
  let store: VectorStore | undefined;
  let release: () => Promise<void> = () => Promise.resolve();
  const reports: QdrantRequestReport[] = [];
  let created = 0;

  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kindred-adapter-'));
    const server = await startEmbeddedQdrant({ dataDir });
    store = createQdrantStore({ url: server.url, onRequest: (report) => reports.push(report) });
    release = async () => {
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    };
  });
  afterAll(async () => {
    await store?.close();
    await release();
  });

  const underTest: StoreUnderTest = {
    get store() {
      if (!store) throw new Error('The store is not there yet: use it inside a test or a hook');
      return store;
    },
    spec: (over = {}) => ({
      name: `adapter_${++created}`,
      dimensions: 3,
      payloadIndexes: { kind: 'keyword', revision: 'integer' },
      quantization: 'none',
      isOnDisk: false,
      ...over,
    }),
    async collectionOf(points) {
      const wanted = underTest.spec();
      await underTest.store.createCollection(wanted);
      await underTest.store.upsert(wanted.name, points);
      return wanted.name;
    },
    async requestsOf(call) {
      const before = reports.length;
      await call();
      return reports.slice(before).map(({ method, path }) => `${method} ${path}`);
    },
  };
  return underTest;
}

export function uuid(n: number): string {
  return `a7c1f7f4-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

/** A point of revision 1 whose words are `indices`, each once. */
export function point(n: number, dense: number[], payload: Payload = {}, indices: number[] = [n]): Point {
  const lexical = { indices, values: indices.map(() => 1) };
  return { id: uuid(n), dense: Float32Array.from(dense), lexical, payload: { revision: 1, ...payload } };
}

/** The plainest query. */
export function near(dense: number[], limit = 10): VectorQuery {
  return { targets: [{ target: { dense }, weight: 1, limit }], limit, payloadKeys: [] };
}

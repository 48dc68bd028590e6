import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { useFolders } from './support/folder';
import { send } from './support/http';
import { useServerProcesses } from './support/server-process';

const folder = useFolders();
const startServerProcess = useServerProcesses();

const ROUNDS = 5;
const WRITERS = 4;

describe('a killed server', () => {
  it('has every point, change and deletion that it acknowledged', async () => {
    const at = folder();
    /** What the server said is durable: a point's revision, 0 once it is deleted. */
    const acknowledged = new Map<number, number>();
    let nextId = 1;
    for (let round = 0; round < ROUNDS; round += 1) {
      const server = await startServerProcess(at);
      const call = (method: string, path: string, body: unknown): ReturnType<typeof send> =>
        send(server.port, { method, path: `/collections/c${path}`, body });
      if (round === 0) await call('PUT', '', { vectors: { size: 4, distance: 'Dot' }, sparse_vectors: { s: {} } });

      const found = await call('POST', '/points/scroll', { limit: 1e6, with_vector: true });
      expect(found.status).toBe(200);
      const { points } = found.body.result as {
        points: { id: number; payload: { revision: number }; vector: { '': number[] } }[];
      };
      const stored = new Map(points.map((point) => [point.id, point]));
      for (const [id, revision] of acknowledged) {
        const point = stored.get(id);
        if (revision === 0) expect(point).toBeUndefined();
        else {
          // A later revision may have been written and its answer lost with the server.
          expect(point?.payload.revision).toBeGreaterThanOrEqual(revision);
          expect(point?.vector['']).toEqual([id, id, id, id]);
        }
      }

      const writer = async (): Promise<void> => {
        for (;;) {
          const id = nextId;
          nextId += 1;
          const vector = { '': [id, id, id, id], s: { indices: [id], values: [1] } };
          const written = await call('PUT', '/points?wait=true', {
            points: [{ id, vector, payload: { revision: 1 } }],
          });
          if (written.status === 200) acknowledged.set(id, 1);
          const older = id - 3 * WRITERS;
          if (older <= 0 || !acknowledged.get(older)) continue;
          const isDeleted = older % 5 === 0;
          // Until it is answered, the deletion may or may not have happened.
          if (isDeleted) acknowledged.delete(older);
          const change = isDeleted
            ? await call('POST', '/points/delete?wait=true', { points: [older] })
            : await call('POST', '/points/payload?wait=true', { points: [older], payload: { revision: 2 } });
          if (change.status === 200) acknowledged.set(older, isDeleted ? 0 : 2);
        }
      };
      // Each writer ends with the refused connection that the kill leaves it.
      const writers = Promise.allSettled(Array.from({ length: WRITERS }, writer));
      const before = acknowledged.size;
      while (acknowledged.size < before + 20) await delay(5);
      await delay(Math.random() * 100);
      await server.kill();
      await writers;
    }
    expect(acknowledged.size).toBeGreaterThan(20 * ROUNDS);
  });

  it('leaves its folder free', async () => {
    const at = folder();
    const first = await startServerProcess(at);
    expect(first.port).toBeGreaterThan(0);
    const second = await startServerProcess(at);
    expect(second.line).toMatch(/^DATA_FOLDER_IN_USE .*is in use by another process/);
    expect(second.line).toContain(at);
    await first.kill();
    await second.kill();
    const third = await startServerProcess(at);
    expect(third.port).toBeGreaterThan(0);
    await third.kill();
  });
});

import { randomBytes } from 'node:crypto';

import { expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import { ModelRejectedError } from '../../src/kernel/model/embedder';
import type { VectorStore } from '../../src/kernel/vector/vector-store';
import { VectorStoreUnavailableError } from '../../src/kernel/vector/vector-store.errors';
import { Random } from '../support/random';
import { eventually } from '../support/write-path';
import { useWritePaths } from '../support/write-paths';

const { open } = useWritePaths();

const ROUNDS = 10;
const STEPS = 9;
const WRITES = new Set<string | symbol>(['upsert', 'overwritePayloads', 'delete']);

type Call = () => Promise<unknown>;

/** A store whose writes have no answer when `isLate` says so; they arrive when somebody calls what `late` then holds. */
function unanswered(store: VectorStore, late: Call[], isLate: () => boolean): VectorStore {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (typeof value !== 'function') return value;
      const method = value as (...args: unknown[]) => Promise<unknown>;
      if (!WRITES.has(name)) return method.bind(target);
      return (...args: unknown[]) => {
        if (!isLate()) return method.apply(target, args);
        late.push(() => method.apply(target, args));
        return Promise.reject(new VectorStoreUnavailableError('no answer in time'));
      };
    },
  });
}

it('requests without an answer leave nothing wrong behind, whenever they arrive', async () => {
  const seed = process.env.TEST_SEED ?? randomBytes(4).toString('hex');
  const random = new Random(seed);
  const late: Call[] = [];
  let isCalm = false;
  const path = await open({
    embedder: createDeterministicEmbedder({
      onEmbed: (texts) => {
        if (texts.some((text) => text.includes('poison'))) throw new ModelRejectedError('not that');
      },
    }),
    wrapStore: (store) => unanswered(store, late, () => !isCalm && late.length < 4 && random.chance(0.35)),
  });
  path.relay({ recheckMs: 600_000 });
  const done: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (let step = 0; step < STEPS; step++) {
      const text = random.pick(['calm', 'storm', 'poison']);
      const statement = random.pick([
        `INSERT INTO content_items (content_type, content_id, content) VALUES ('document', 'one', '${text}') ON CONFLICT DO NOTHING`,
        `UPDATE content_items SET content = '${text}'`,
        `UPDATE content_items SET source_type = '${text}'`,
        'DELETE FROM content_items',
      ]);
      done.push(statement);
      await path.sql(statement);
      await path.idle();
      if (random.chance(0.3)) {
        done.push('one arrives');
        await late.shift()?.();
      }
    }
    isCalm = true;
    for (const arrive of late.splice(0)) await arrive();
    await path.sql(`UPDATE content_items SET content = 'mended' WHERE content = 'poison'`);
    await path.idle();
    // The time passes in which such requests may arrive.
    await path.sql('UPDATE outbox_events SET available_at = now()');
    await eventually(async () => expect(await path.sql('SELECT topic, key, error FROM outbox_events')).toEqual([]));
    isCalm = false;
    expect({ TEST_SEED: seed, done, drift: await path.drift() }).toEqual({
      TEST_SEED: seed,
      done,
      drift: [],
    });
  }
});

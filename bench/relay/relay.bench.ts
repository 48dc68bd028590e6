import path from 'node:path';
import { writeResult } from '../support/report';
import { measureBacklog } from './backlog';
import { measureMutations } from './mutation-latency';
import { measureOutboxCost } from './outbox-cost';
import { startEmbedded, startQdrant, withFolder } from './stores';
import { measureThroughput } from './throughput';
import { measureTwoRelays } from './two-relays';

/** The write path from capture to the last point, with a model that costs nothing. */
export function relayBench(): Promise<void> {
  return withFolder(async (folder) => {
    const postgres = await startEmbedded(path.join(folder, 'postgres'));
    const qdrant = await startQdrant(path.join(folder, 'qdrant'));
    try {
      const targets = async (name: string) => ({
        databaseUrl: await postgres.database(name),
        qdrantUrl: qdrant.url,
        prefix: `${name}_`,
      });
      const kindred = await targets('kindred_bench');
      const parts = [
        await measureThroughput(postgres, qdrant, kindred),
        await measureTwoRelays(postgres, qdrant),
        await measureOutboxCost(await targets('outbox_cost')),
        await measureMutations(postgres, qdrant),
        await measureBacklog(kindred),
      ];
      await writeResult('relay', 'The relay, with a model that costs nothing', [
        'The embedded PostgreSQL, flushing as it does for users, and the embedded vector server, each in processes of their own, unless',
        'said otherwise. Vectors of 384 numbers, chosen beforehand.',
        '',
        ...parts.flat().slice(0, -1),
      ]);
    } finally {
      await qdrant.stop();
      await postgres.stop();
    }
  });
}

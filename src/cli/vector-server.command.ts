import path from 'node:path';

import type { Command } from 'commander';

import { startVectorServer } from '../app/vector-server';
import { onTermination } from '../kernel/process/termination';
import { portNumber } from './port-option';

const DEFAULT_PORT = 6333;
export function addVectorServerCommand(program: Command): void {
  program
    .command('vector-server')
    .description('Run the embedded Qdrant-compatible server on its own, for any Qdrant client.')
    .option('--data <folder>', 'where to keep the data', '.qdrant')
    .option('--port <port>', '0 takes any free one', portNumber, DEFAULT_PORT)
    .action(async ({ data, port }: { data: string; port: number }) => {
      const server = await startVectorServer(path.resolve(data), port);
      console.log(`Listening on ${server.url}`);
      await new Promise<void>((resolve) => {
        const release = onTermination(() => {
          release();
          resolve();
        });
      });
      await server.close();
    });
}

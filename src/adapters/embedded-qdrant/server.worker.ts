import { parentPort, workerData } from 'node:worker_threads';
import { DomainError } from '../../kernel/errors/domain-error';
import { Engine } from './engine/engine';
import type { FromWorker, ToWorker, WorkerOptions } from './messages';
import { HttpServer } from './server/http-server';
import { VectorMemory } from './simd/vector-memory';
import { Store } from './store/store';

/** The worker thread: server, engine and store, so that the thread that started it does none of their work. */
async function main(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('server.worker must run as a worker thread');
  const post = (message: FromWorker): void => port.postMessage(message);
  const options = workerData as WorkerOptions;
  let store: Store | undefined;
  let isLoaded = false;
  try {
    store = new Store(options.dataDir);
    const onFault = (message: string): void => post({ type: 'fault', message });
    const engine = new Engine(new VectorMemory(), store, onFault);
    isLoaded = true;
    const server = new HttpServer({ ...options, engine, onFault });
    const opened = store;
    port.on('message', (message: ToWorker) => {
      if (message.type === 'close') void server.close().then(() => (opened.close(), port.close()));
    });
    post({ type: 'listening', port: await server.listen() });
  } catch (error) {
    store?.close(!isLoaded);
    const code = error instanceof DomainError ? error.code : 'INTERNAL';
    post({ type: 'failed', code, message: error instanceof Error ? error.message : String(error) });
    port.close();
  }
}

void main();

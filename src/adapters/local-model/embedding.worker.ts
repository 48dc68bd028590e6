import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { BatchQueue } from './batch-queue';
import { SentenceEncoder } from './sentence-encoder';
import type { FromWorker, ToWorker, WorkerSettings } from './worker-messages';

/**
 * Batches of eight are fastest for short texts (552/s, 484/s alone); for texts of 256 tokens a batch gains nothing and
 * costs memory (10 to 12 a second in any size, peak 206 MB alone, 344 MB in eights). 256 tokens a batch, padding
 * included, keeps the gain and the memory, and lets a query in after 0.1 s.
 */
const BATCH_LIMITS = { maxTexts: 8, maxPaddedTokens: 256 };

/** The thread that owns the model: takes requests, embeds batch by batch, sends the vectors back. */
async function serve(port: MessagePort, { folder, manifest }: WorkerSettings): Promise<void> {
  const send = (message: FromWorker): void => port.postMessage(message);
  let encoder: SentenceEncoder;
  try {
    encoder = await SentenceEncoder.load(folder, manifest);
  } catch (error) {
    send({ kind: 'load-failed', message: (error as Error).message });
    port.close();
    return;
  }

  const queue = new BatchQueue((text) => encoder.tokenize(text), BATCH_LIMITS);
  const results = new Map<number, Float32Array<ArrayBuffer>>();
  let isClosing = false;
  let isRunning = false;

  const forget = (id: number): void => {
    queue.remove(id);
    results.delete(id);
  };

  const embedNextBatch = async (): Promise<void> => {
    const batch = queue.take();
    if (batch === undefined) return;
    const { requestId } = batch;
    try {
      const vectors = results.get(requestId);
      if (vectors === undefined) return;
      await encoder.encode(batch.tokens, (member, vector) =>
        vectors.set(vector, (batch.indexes[member] as number) * manifest.dimensions),
      );
      if (!batch.isLast || !results.delete(requestId)) return;
      const message: FromWorker = { kind: 'embedded', id: requestId, vectors };
      port.postMessage(message, [vectors.buffer]);
    } catch (error) {
      forget(requestId);
      send({ kind: 'failed', id: requestId, message: (error as Error).message });
    }
  };

  const run = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    while (!queue.isEmpty && !isClosing) {
      await embedNextBatch();
      // Lets messages in between two batches: a query that goes first, a cancellation, the end.
      await new Promise((resolve) => setImmediate(resolve));
    }
    isRunning = false;
    if (isClosing) {
      await encoder.release();
      port.close();
    }
  };

  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'embed':
        results.set(message.id, new Float32Array(message.texts.length * manifest.dimensions));
        queue.add(message.id, message.texts, message.urgency);
        break;
      case 'cancel':
        forget(message.id);
        break;
      case 'close':
        isClosing = true;
        break;
    }
    void run();
  });
  send({ kind: 'loaded' });
}

if (parentPort) void serve(parentPort, workerData as WorkerSettings);

import type { Urgency } from '../../kernel/model/embedder';
import type { ModelManifest } from './model-manifest';

/** What the worker thread is started with. */
export interface WorkerSettings {
  folder: string;
  manifest: ModelManifest;
}

export type ToWorker =
  | { kind: 'embed'; id: number; texts: readonly string[]; urgency: Urgency }
  | { kind: 'cancel'; id: number }
  | { kind: 'close' };

export type FromWorker =
  | { kind: 'loaded' }
  | { kind: 'load-failed'; message: string }
  /** All vectors of one request behind each other, in the order of its texts; the buffer is transferred. */
  | { kind: 'embedded'; id: number; vectors: Float32Array<ArrayBuffer> }
  | { kind: 'failed'; id: number; message: string };

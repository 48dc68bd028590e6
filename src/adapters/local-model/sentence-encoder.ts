import path from 'node:path';
import type { Tokenizer } from '@huggingface/tokenizers' with { 'resolution-mode': 'import' };
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { requireDigest } from './model-files';
import type { ModelManifest } from './model-manifest';
import { loadTokenizer } from './tokenizer';

/** No text that fits `maxTokens` tokens is longer; what is behind it would be cut off after being tokenised anyway. */
const MAX_CHARACTERS_PER_TOKEN = 100;

/** The model in memory: text → token ids → one L2-normalised vector, the way sentence-transformers does it. */
export class SentenceEncoder {
  private constructor(
    private readonly manifest: ModelManifest,
    private readonly tokenizer: Tokenizer,
    private readonly session: InferenceSession,
  ) {}

  /**
   * Verifies every file against its pinned hash (about 60 ms) and loads the model.
   * @throws ModelUnavailableError names the file that is wrong
   */
  static async load(folder: string, manifest: ModelManifest): Promise<SentenceEncoder> {
    const { weights, weightsData } = manifest.files;
    for (const file of [weights, weightsData]) await requireDigest(path.join(folder, file.path), file.sha256);
    const { tokenizer } = await loadTokenizer(folder, manifest);
    const session = await InferenceSession.create(path.join(folder, manifest.files.weights.path), {
      // One thread: the other cores belong to the API, PostgreSQL and the vector server.
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    return new SentenceEncoder(manifest, tokenizer, session);
  }

  /** A text's token ids with [CLS] and [SEP]; beyond `maxTokens` the text is cut, [SEP] stays. */
  tokenize(text: string): number[] {
    const { maxTokens } = this.manifest;
    const { ids } = this.tokenizer.encode(text.slice(0, maxTokens * MAX_CHARACTERS_PER_TOKEN));
    if (ids.length <= maxTokens) return ids;
    const separator = ids[ids.length - 1] as number;
    return [...ids.slice(0, maxTokens - 1), separator];
  }

  /**
   * Runs the model once over a batch of token ids, padded to its longest member.
   * @param write receives each member's vector: the mean over its own tokens, L2-normalised
   */
  async encode(
    batch: readonly (readonly number[])[],
    write: (member: number, vector: Float32Array) => void,
  ): Promise<void> {
    const width = Math.max(...batch.map((ids) => ids.length));
    const shape = [batch.length, width];
    const ids = new BigInt64Array(batch.length * width);
    const mask = new BigInt64Array(batch.length * width);
    batch.forEach((member, row) => {
      member.forEach((id, column) => {
        ids[row * width + column] = BigInt(id);
        mask[row * width + column] = 1n;
      });
    });
    const outputs = await this.session.run({
      input_ids: new Tensor('int64', ids, shape),
      attention_mask: new Tensor('int64', mask, shape),
      token_type_ids: new Tensor('int64', new BigInt64Array(batch.length * width), shape),
    });
    const hidden = outputs.last_hidden_state;
    if (hidden === undefined || !(hidden.data instanceof Float32Array)) {
      throw new Error('the model has no float output named last_hidden_state');
    }
    const states = hidden.data;
    batch.forEach((member, row) => write(row, this.pool(states, row * width, member.length)));
    hidden.dispose();
  }

  async release(): Promise<void> {
    await this.session.release();
  }

  private pool(states: Float32Array, firstToken: number, tokens: number): Float32Array {
    const { dimensions } = this.manifest;
    const vector = new Float32Array(dimensions);
    for (let token = firstToken; token < firstToken + tokens; token++) {
      const offset = token * dimensions;
      for (let i = 0; i < dimensions; i++) vector[i] = (vector[i] as number) + (states[offset + i] as number);
    }
    let squares = 0;
    for (const value of vector) squares += value * value;
    const length = Math.sqrt(squares);
    for (let i = 0; i < dimensions; i++) vector[i] = (vector[i] as number) / length;
    return vector;
  }
}

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as tokenizers from '@huggingface/tokenizers' with { 'resolution-mode': 'import' };
import { requireDigest } from './model-files';
import type { ModelManifest } from './model-manifest';

// Its CommonJS build has no types of its own, so TypeScript accepts neither an import nor a plain require.
const { Tokenizer } = createRequire(__filename)('@huggingface/tokenizers') as typeof tokenizers;

/** The model's tokenizer, and the texts that it reads as one token of their own, such as `[SEP]`. */
export interface LoadedTokenizer {
  tokenizer: tokenizers.Tokenizer;
  specialTexts: string[];
}

interface TokenizerFile {
  added_tokens?: { content: string }[];
}

/**
 * Loads the tokenizer from verified files; takes about 0.1 s.
 * @throws ModelUnavailableError names the file that is wrong
 */
export async function loadTokenizer(folder: string, { files }: ModelManifest): Promise<LoadedTokenizer> {
  const readJson = async ({ path: file, sha256 }: { path: string; sha256: string }): Promise<object> => {
    await requireDigest(path.join(folder, file), sha256);
    return JSON.parse(await readFile(path.join(folder, file), 'utf8')) as object;
  };
  const settings = await readJson(files.tokenizer);
  const tokenizer = new Tokenizer(settings, await readJson(files.tokenizerConfig));
  const specialTexts = ((settings as TokenizerFile).added_tokens ?? []).map(({ content }) => content);
  return { tokenizer, specialTexts };
}

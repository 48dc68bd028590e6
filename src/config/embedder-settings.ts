import os from 'node:os';
import path from 'node:path';
import type { Given } from './read-variables';
import type { VariableValues } from './variables';

export type EmbedderProvider = 'local' | 'openai' | 'deterministic';

/** A model, and how it is reached. */
export interface EmbedderSettings {
  provider: EmbedderProvider;
  /** Undefined: the provider's default. */
  model: string | undefined;
  dimensions: number | undefined;
  maxTokens: number | undefined;
  openAiApiKey: string | undefined;
  openAiBaseUrl: string | undefined;
  /** Absolute. */
  modelCacheDir: string;
  /** The npm program that started this process, if one did. */
  npmExecPath: string | undefined;
}

export function embedderSettings(values: VariableValues, given: Given): EmbedderSettings {
  return toSettings(configuredModel(values), values, given);
}

/** @returns `undefined` where no model is to follow */
export function nextEmbedderSettings(values: VariableValues, given: Given): EmbedderSettings | undefined {
  const next = nextModel(values);
  return next && toSettings(next, values, given);
}

/** What is wrong with the settings of either model, one sentence each. */
export function embedderProblems(values: VariableValues): string[] {
  const problems = modelProblems(configuredModel(values));
  const next = nextModel(values);
  if (next) problems.push(...modelProblems(next));
  else {
    for (const name of NEXT_VARIABLES) {
      if (values[name] !== undefined)
        problems.push(`${name} is set, but KINDRED_NEXT_EMBEDDER is not; set both or neither`);
    }
  }
  return problems;
}

const NEXT_VARIABLES = [
  'KINDRED_NEXT_EMBEDDING_MODEL',
  'KINDRED_NEXT_EMBEDDING_DIMENSIONS',
  'KINDRED_NEXT_EMBEDDING_MAX_TOKENS',
  'KINDRED_NEXT_OPENAI_API_KEY',
  'KINDRED_NEXT_OPENAI_BASE_URL',
] as const;

/** The settings of one model, and what the names of its variables begin with. */
interface ModelValues extends Omit<EmbedderSettings, 'modelCacheDir' | 'npmExecPath'> {
  prefix: 'KINDRED_' | 'KINDRED_NEXT_';
}

function configuredModel(values: VariableValues): ModelValues {
  return {
    prefix: 'KINDRED_',
    provider: values.KINDRED_EMBEDDER ?? (values.OPENAI_API_KEY === undefined ? 'local' : 'openai'),
    model: values.KINDRED_EMBEDDING_MODEL,
    dimensions: values.KINDRED_EMBEDDING_DIMENSIONS,
    maxTokens: values.KINDRED_EMBEDDING_MAX_TOKENS,
    openAiApiKey: values.OPENAI_API_KEY,
    openAiBaseUrl: values.OPENAI_BASE_URL,
  };
}

/** Reached as the configured one, unless its own settings say otherwise. */
function nextModel(values: VariableValues): ModelValues | undefined {
  if (values.KINDRED_NEXT_EMBEDDER === undefined) return undefined;
  return {
    prefix: 'KINDRED_NEXT_',
    provider: values.KINDRED_NEXT_EMBEDDER,
    model: values.KINDRED_NEXT_EMBEDDING_MODEL,
    dimensions: values.KINDRED_NEXT_EMBEDDING_DIMENSIONS,
    maxTokens: values.KINDRED_NEXT_EMBEDDING_MAX_TOKENS,
    openAiApiKey: values.KINDRED_NEXT_OPENAI_API_KEY ?? values.OPENAI_API_KEY,
    openAiBaseUrl: values.KINDRED_NEXT_OPENAI_BASE_URL ?? values.OPENAI_BASE_URL,
  };
}

function modelProblems({ prefix, provider, model, dimensions, openAiApiKey, openAiBaseUrl }: ModelValues): string[] {
  const problems: string[] = [];
  if (provider === 'openai' && openAiApiKey === undefined && openAiBaseUrl === undefined) {
    problems.push(`${prefix}EMBEDDER is "openai", which needs OPENAI_API_KEY (or OPENAI_BASE_URL of another endpoint)`);
  }
  if (provider === 'local' && model !== undefined) {
    problems.push(
      `${prefix}EMBEDDING_MODEL is ${JSON.stringify(model)}, but the local embedder has one ` +
        `model, all-MiniLM-L6-v2; unset it, or set ${prefix}EMBEDDER=openai`,
    );
  }
  if (provider === 'local' && dimensions !== undefined) {
    problems.push(`${prefix}EMBEDDING_DIMENSIONS is set, but the local model always gives 384; unset it`);
  }
  return problems;
}

function toSettings({ prefix: _, ...model }: ModelValues, values: VariableValues, given: Given): EmbedderSettings {
  return {
    ...model,
    modelCacheDir: path.resolve(values.KINDRED_MODEL_CACHE_DIR ?? userCacheFolder(given)),
    npmExecPath: given['npm_execpath'],
  };
}

/** Where this user's programs keep what can be fetched again. */
function userCacheFolder(given: Given): string {
  const xdg = given['XDG_CACHE_HOME'];
  if (xdg !== undefined && path.isAbsolute(xdg)) return path.join(xdg, 'kindred');
  if (process.platform === 'win32' && given['LOCALAPPDATA'] !== undefined) {
    return path.join(given['LOCALAPPDATA'], 'kindred', 'cache');
  }
  return path.join(os.homedir(), '.cache', 'kindred');
}

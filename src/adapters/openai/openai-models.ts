/** What OpenAI documents about its own embedding models; other models have to be described in the configuration. */
export interface KnownModel {
  dimensions: number;
  maxTokens: number;
  /** Whether the `dimensions` parameter can shorten its vectors. */
  isShortenable: boolean;
}

export const knownModels: Readonly<Record<string, KnownModel | undefined>> = {
  'text-embedding-3-small': { dimensions: 1536, maxTokens: 8191, isShortenable: true },
  'text-embedding-3-large': { dimensions: 3072, maxTokens: 8191, isShortenable: true },
  'text-embedding-ada-002': { dimensions: 1536, maxTokens: 8191, isShortenable: false },
};

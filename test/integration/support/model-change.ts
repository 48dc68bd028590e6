import pino from 'pino';

import { createDeterministicEmbedder } from '../../../src/adapters/deterministic-model';
import { createCore, type Core } from '../../../src/app/core';
import type { Embedder } from '../../../src/kernel/model/embedder';
import type { TestApp } from '../../../src/testing/create-test-app';

/** An embedder that remembers what it was asked for. */
export interface WatchedEmbedder extends Embedder {
  documents: string[];
  queries: string[];
}

export interface WatchedOptions {
  dimensions?: number;
  maxTokens?: number;
  version?: string;
  /** May refuse a text. */
  onText?: (text: string) => void;
}

export function watchedEmbedder({ onText, ...options }: WatchedOptions = {}): WatchedEmbedder {
  const documents: string[] = [];
  const queries: string[] = [];
  const embedder = createDeterministicEmbedder({
    ...options,
    onEmbed: (texts, { purpose }) => {
      for (const text of texts) onText?.(text);
      (purpose === 'query' ? queries : documents).push(...texts);
    },
  });
  return { ...embedder, documents, queries };
}

/** Another process on the stores of `app`, as far as that can be in this one; not started yet. */
export function anotherCore(app: TestApp, embedder: Embedder, next?: Embedder): Promise<Core> {
  return createCore({
    databaseUrl: app.databaseUrl,
    poolSize: 4,
    applicationName: 'model change test',
    qdrantUrl: app.qdrantUrl,
    qdrantApiKey: process.env.QDRANT_API_KEY,
    embedder,
    next,
    collections: { prefix: app.core.catalog.alias('') },
    relay: { pollMs: 50 },
    logger: pino({ level: 'silent' }),
  });
}

/** Waits until what is beside the live collections is complete. */
export const filled = (core: Core): Promise<void> => core.modelChange.waitUntilFilled({});

/** Texts that were embedded more than once. */
export function repeated(texts: readonly string[]): string[] {
  return [...new Set(texts.filter((text, i) => texts.indexOf(text) !== i))];
}

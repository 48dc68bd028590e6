import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { LightCheck } from '../../kernel/consistency/light-check';
import type { CheckStore } from '../../kernel/consistency/check-store';
import { driftKinds } from '../../kernel/consistency/consistency-report';
import type { IndexingProgressSource } from '../../kernel/outbox/indexing-progress';
import type { Meter } from '../../kernel/telemetry/meter';
import { RequestHistogram } from './request-histogram';

/** What is asked when somebody reads the metrics. */
export interface MetricSources {
  progress: IndexingProgressSource;
  lightCheck: LightCheck;
  /** Query texts whose vectors were remembered, and those that were embedded. */
  queryTexts: () => { hits: number; misses: number };
  /** What the last complete checks found, of whichever process. */
  checks: CheckStore;
}

const PREFIX = 'kindred_';
/** From a warm local model to a provider that is about to time out. */
const CALL_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const seconds = (durationMs: number): number => durationMs / 1000;
const outcomeOf = (isOk: boolean): string => (isOk ? 'ok' : 'error');

/** Kindred's metrics in Prometheus's format. What is counted as it happens comes in through the `Meter`. */
export class PrometheusMetrics implements Meter {
  private readonly registry = new Registry();
  private readonly samplers: (() => void | Promise<void>)[] = [];
  private readonly attempts = this.counter('relay_attempts_total', 'Attempts at events.', ['topic', 'kind', 'outcome']);
  private readonly embedCalls = this.histogram(
    'embed_duration_seconds',
    'Calls of the embedding model.',
    ['purpose', 'outcome'],
    CALL_SECONDS,
  );
  private readonly embeddedTexts = this.counter('embedded_texts_total', 'Texts given to the model.', ['purpose']);
  private readonly embeddedTokens = this.counter(
    'embedded_tokens_total',
    'Tokens given to the model, estimated from the length of the texts.',
    ['purpose'],
  );
  private readonly reuse = this.counter(
    'vector_reuse_total',
    'Texts to be indexed whose vector another point had already (hit) or that had to be embedded (miss).',
    ['result'],
  );
  private readonly writes = this.histogram(
    'qdrant_write_duration_seconds',
    'Requests to Qdrant that change points.',
    ['operation', 'outcome'],
    CALL_SECONDS,
  );
  private readonly writtenPoints = this.counter('qdrant_points_written_total', 'Points in those requests.', [
    'operation',
  ]);
  private readonly requests = new RequestHistogram(`${PREFIX}http_request_duration_seconds`, 'Answered HTTP requests.');
  private readonly errors = this.counter('graphql_errors_total', 'Errors in GraphQL answers.', ['code']);

  constructor() {
    // By the names that every process has, which ready-made dashboards ask for.
    collectDefaultMetrics({ register: this.registry });
  }

  readonly contentType = this.registry.contentType;

  /** What cannot be asked now is left out; the rest is there. */
  async read(): Promise<string> {
    await Promise.allSettled(this.samplers.map(async (sample) => sample()));
    return `${await this.registry.metrics()}\n${this.requests.read()}`;
  }

  attempted(...[topic, kind, outcome]: Parameters<Meter['attempted']>): void {
    this.attempts.inc({ topic, kind, outcome });
  }

  embedded({ purpose, texts, tokens, durationMs, isOk }: Parameters<Meter['embedded']>[0]): void {
    this.embedCalls.observe({ purpose, outcome: outcomeOf(isOk) }, seconds(durationMs));
    this.embeddedTexts.inc({ purpose }, texts);
    this.embeddedTokens.inc({ purpose }, tokens);
  }

  reused({ hits, misses }: Parameters<Meter['reused']>[0]): void {
    this.reuse.inc({ result: 'hit' }, hits);
    this.reuse.inc({ result: 'miss' }, misses);
  }

  wrote({ operation, points, durationMs, isOk }: Parameters<Meter['wrote']>[0]): void {
    this.writes.observe({ operation, outcome: outcomeOf(isOk) }, seconds(durationMs));
    this.writtenPoints.inc({ operation }, points);
  }

  /** @param route the path as it was declared, of which there are few */
  answered(route: string, method: string, status: number, durationMs: number): void {
    this.requests.observe(route, method, status, durationMs);
  }

  failed(code: string): void {
    this.errors.inc({ code });
  }

  /** Adds what is read from elsewhere whenever the metrics are. */
  watch(sources: MetricSources): void {
    this.samplers.push(
      this.queueSampler(sources.progress),
      this.lightCheckSampler(sources.lightCheck),
      this.driftSampler(sources.checks),
    );
    const texts = this.counter(
      'query_texts_total',
      'Query texts whose vector was remembered (hit) or that were embedded (miss).',
      ['result'],
    );
    this.samplers.push(() => {
      const { hits, misses } = sources.queryTexts();
      texts.reset();
      texts.inc({ result: 'hit' }, hits);
      texts.inc({ result: 'miss' }, misses);
    });
  }

  private queueSampler(progress: IndexingProgressSource): () => Promise<void> {
    const depth = this.gauge('outbox_events', 'Events in the outbox; dead ones were given up.', ['kind', 'state']);
    const points = this.gauge('points_unsettled', 'Points that are not as they should be yet.', ['kind', 'state']);
    const age = this.gauge('outbox_oldest_seconds', 'Age of the oldest change on its way.', ['kind']);
    const isKnown = this.gauge('outbox_is_known', '0 while the database cannot be asked for the outbox.', []);
    return async () => {
      for (const gauge of [depth, points, age]) gauge.reset();
      isKnown.set(0);
      const { kinds } = await progress.current();
      for (const one of kinds) {
        const { kind } = one;
        depth.set({ kind, state: 'source' }, one.records);
        depth.set({ kind, state: 'point' }, one.pointEvents);
        depth.set({ kind, state: 'dead' }, one.dead);
        points.set({ kind, state: 'pending' }, one.pending);
        points.set({ kind, state: 'failed' }, one.failed);
        age.set({ kind }, seconds(one.oldestPendingMs ?? 0));
      }
      isKnown.set(1);
    };
  }

  private lightCheckSampler(lightCheck: LightCheck): () => void {
    const rows = this.gauge('embedding_rows', 'Rows of the embedding tables, at the last light check.', ['kind']);
    const points = this.gauge('points', 'Points in Qdrant, at the last light check.', ['kind']);
    const suspected = this.gauge(
      'drift_suspected',
      'By how many points the stores differed when nothing was on its way, at the last light check.',
      ['kind'],
    );
    const checkedAt = this.gauge('light_check_timestamp_seconds', 'When rows and points were last counted.', []);
    return () => {
      if (lightCheck.checkedAt) checkedAt.set(seconds(lightCheck.checkedAt.getTime()));
      for (const count of lightCheck.counts) {
        rows.set({ kind: count.kind }, count.rows);
        points.set({ kind: count.kind }, count.points);
        if (count.suspected !== null) suspected.set({ kind: count.kind }, count.suspected);
      }
    };
  }

  private driftSampler(checks: CheckStore): () => Promise<void> {
    const drift = this.gauge('drift', 'Points and rows that disagreed at the last complete check, of any process.', [
      'kind',
      'type',
    ]);
    const checkedAt = this.gauge('check_timestamp_seconds', 'When the stores were last compared completely.', ['kind']);
    const isRepairing = this.gauge(
      'drift_is_queued',
      '1 when that drift has been queued to be put right and was not checked since.',
      ['kind'],
    );
    return async () => {
      const known = await checks.read();
      for (const gauge of [drift, checkedAt, isRepairing]) gauge.reset();
      for (const check of known) {
        const { kind } = check;
        for (const type of driftKinds) drift.set({ kind, type }, check.drift[type] ?? 0);
        checkedAt.set({ kind }, seconds(check.checkedAt.getTime()));
        isRepairing.set({ kind }, check.repairedAt ? 1 : 0);
      }
    };
  }

  private counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `${PREFIX}${name}`, help, labelNames, registers: [this.registry] });
  }

  private gauge<Label extends string>(name: string, help: string, labelNames: Label[]): Gauge<Label> {
    return new Gauge({ name: `${PREFIX}${name}`, help, labelNames, registers: [this.registry] });
  }

  private histogram<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ): Histogram<Label> {
    return new Histogram({ name: `${PREFIX}${name}`, help, labelNames, buckets, registers: [this.registry] });
  }
}

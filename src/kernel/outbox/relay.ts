import type { Database } from '../db/database';
import { NotificationListener } from '../db/notification-listener';
import type { Logger } from '../logging/logger';
import type { Embedder } from '../model/embedder';
import { Embedders } from '../model/embedders';
import type { RecordKind } from '../record/record-spec';
import { chunkWindow } from '../vector/chunk-window';
import type { CollectionCatalog } from '../vector/collections';
import { modelOf } from '../vector/generation-store';
import type { Meter } from '../telemetry/meter';
import type { VectorStore } from '../vector/vector-store';
import { AdoptedVectors } from './adopted-vectors';
import { Batches } from './batches';
import type { FollowUpTask } from './follow-up';
import { isolateFault } from './isolate-fault';
import type { Lease } from './lease';
import type { OutboxTopic, PointTopic } from './outbox-event.entity';
import { OutboxStore, type ClaimedKey, type ClaimScope } from './outbox-store';
import { PointLedger } from './point-ledger';
import { PointTask, type PointTaskParts } from './point-task';
import { Pump, type PumpStep } from './pump';
import { defaultRelaySettings, type RelaySettings } from './relay-settings';
import { keysWith, type Outcomes, type StepHook } from './relay-step';
import { SourceTask } from './source-task';
import { StandbyLedger } from './standby-ledger';
import { TextEmbedding } from './text-embedding';
import { VectorSource } from './vector-source';

export interface RelayParts {
  database: Database;
  store: VectorStore;
  embedder: Embedder;
  /** Of the model that is to follow, while it is being changed. */
  next?: Embedder;
  catalog: CollectionCatalog;
  kinds: readonly RecordKind[];
  /** Whether to fill only what is beside the live collections: where the live model is not at hand. */
  isFillingOnly?: boolean;
  /** What features do once a point has a new vector. */
  followUps?: readonly FollowUpTask[];
  logger: Logger;
  settings?: Partial<RelaySettings>;
  onStep?: StepHook;
  meter?: Meter;
}

/** What a batch came to. */
export interface RelayProgress {
  topic: OutboxTopic;
  done: number;
  failed: number;
}

const CHANNEL = 'kindred_outbox';

/**
 * Carries what the database captured to the vector server. Any number of relays, in any number of processes, may work
 * on one database.
 */
export class Relay {
  private readonly settings: RelaySettings;
  private readonly outbox: OutboxStore;
  private readonly batches: Batches;
  private readonly sourceTask: SourceTask;
  private readonly pointTasks: Readonly<Record<PointTopic, PointTask>>;
  private readonly pumps: ReadonlyMap<OutboxTopic, Pump>;
  private readonly listener: NotificationListener;
  private readonly progressListeners = new Set<(progress: RelayProgress) => void>();
  private readonly kindNames: string[];
  private stopped: Promise<void> | undefined;

  constructor(private readonly parts: RelayParts) {
    const { database, store, catalog, logger, onStep } = parts;
    const settings = { ...defaultRelaySettings, ...parts.settings };
    this.settings = settings;
    const kinds = parts.kinds.filter((kind) => kind.embedding !== undefined);
    this.kindNames = kinds.map((kind) => kind.kind);
    this.outbox = new OutboxStore(database);
    const followUps = parts.followUps ?? [];
    const ledger = new PointLedger(database, (kind) =>
      followUps
        .filter((task) => task.kinds.includes(kind))
        .map(({ topic, payloadKinds = [] }) => ({ topic, isOfPayload: payloadKinds.includes(kind) })),
    );
    const { outbox } = this;
    this.batches = new Batches({ outbox, ledger, settings, logger, meter: parts.meter, onStep });
    const embedders = new Embedders(parts.embedder, parts.next);
    const embeddings = new Map(embedders.all.map((one) => [one, new TextEmbedding(one, settings.embedTimeoutMs)]));
    this.sourceTask = new SourceTask({
      database,
      kinds,
      allKinds: parts.kinds,
      window: () => chunkWindow(catalog, embedders),
      onStep,
    });
    const { recheckMs } = settings;
    const pointParts: PointTaskParts = {
      outbox,
      ledgers: { live: ledger, standby: new StandbyLedger(database, ledger) },
      store,
      catalog,
      vectors: new VectorSource(store, parts.meter),
      embeddingFor: (generation) => {
        const embedder = embedders.of(modelOf(generation));
        const embedding = embedder && embeddings.get(embedder);
        // The catalog gives out no generation of a model that is not this process's.
        if (!embedding) throw new Error(`There is no embedder for ${generation.collection}`);
        return embedding;
      },
      adoption: new AdoptedVectors(store),
      kinds,
      logger,
      recheckMs,
      onStep,
    };
    this.pointTasks = { point: new PointTask(pointParts), build: new PointTask(pointParts, 'standby') };
    const loops = (count: number, step: PumpStep): PumpStep[] => Array.from({ length: count }, () => step);
    const pumps = [
      this.pump(
        'source',
        loops(settings.sourceConcurrency, () => this.relaySources()),
      ),
      this.pump('point', [
        ...loops(settings.pointConcurrency, () => this.relayPoints('point', this.kindNames)),
        ...loops(settings.urgentPointConcurrency, () =>
          this.relayPoints('point', this.kindNames, { isUrgentOnly: true }),
        ),
      ]),
      this.pump(
        'build',
        loops(settings.pointConcurrency, () => this.relayPoints('build', catalog.fillable)),
      ),
      ...followUps.map((task) =>
        this.pump(
          task.topic,
          loops(task.concurrency, () => this.relayFollowUps(task)),
        ),
      ),
    ];
    const running = parts.isFillingOnly === true ? pumps.filter(({ name }) => name === 'build') : pumps;
    this.pumps = new Map(running.map((pump) => [pump.name, pump]));
    this.listener = new NotificationListener(database.pool, CHANNEL, (payload) => this.onNotify(payload), logger);
  }

  start(): void {
    this.listener.start();
    for (const pump of this.pumps.values()) pump.start();
  }

  /**
   * Takes nothing new and ends what is under way; what does not end in `stopGraceMs` is given back for others to do.
   * Safe to call more than once.
   */
  stop(): Promise<void> {
    this.stopped ??= this.shutDown();
    return this.stopped;
  }

  /** Looks for work now. Only needed where no notification tells of it. */
  wake(): void {
    for (const pump of this.pumps.values()) pump.wake();
  }

  /** Calls `listener` after every batch; the function returned ends that. */
  onProgress(listener: (progress: RelayProgress) => void): () => void {
    this.progressListeners.add(listener);
    return () => this.progressListeners.delete(listener);
  }

  /**
   * Why nothing is relayed at the moment, for health reports; undefined while all is well. What is built beside the live
   * collections can wait.
   */
  get outage(): { code: string; message: string; since: Date } | undefined {
    return [...this.pumps]
      .filter(([topic]) => topic !== 'build')
      .map(([, pump]) => pump.outage)
      .find((outage) => outage !== undefined);
  }

  private pump(name: OutboxTopic, steps: readonly PumpStep[]): Pump {
    const { pollMs, outageBaseMs, outageMaxMs } = this.settings;
    return new Pump({ name, steps, pollMs, outageBaseMs, outageMaxMs, logger: this.parts.logger });
  }

  private onNotify(payload: string | undefined): void {
    const named = payload === undefined ? undefined : this.pumps.get(payload);
    if (named) named.wake();
    else this.wake();
  }

  private async shutDown(): Promise<void> {
    const timer = setTimeout(() => this.batches.giveUp(), this.settings.stopGraceMs);
    await Promise.all([...[...this.pumps.values()].map((pump) => pump.stop()), this.listener.close()]);
    clearTimeout(timer);
  }

  private relaySources(): Promise<boolean> {
    const scope = { topic: 'source', kinds: this.kindNames, size: this.settings.sourceBatchSize } as const;
    return this.relayBatch(scope, async (lease) => {
      const outcomes = await this.sourceTask.run(lease);
      this.pumps.get('point')?.wake();
      return outcomes;
    });
  }

  private relayPoints(
    topic: PointTopic,
    kinds: readonly string[],
    options: { isUrgentOnly?: boolean } = {},
  ): Promise<boolean> {
    if (kinds.length === 0) return Promise.resolve(false);
    const embedder = topic === 'build' ? (this.parts.next ?? this.parts.embedder) : this.parts.embedder;
    const size = this.settings.pointBatchSize ?? embedder.batchSize;
    return this.relayBatch({ topic, kinds, size, ...options }, async (lease) => {
      const task = this.pointTasks[topic];
      const outcomes = await isolateFault(lease, lease.claim.keys, (keys) => task.run(lease, keys));
      await this.parts.onStep?.('acking', { topic, keys: outcomes.size });
      await this.acknowledgePoints(lease, topic, keysWith(outcomes, 'done'));
      if (topic === 'point') {
        for (const follower of [...(this.parts.followUps ?? []).map((task) => task.topic), 'build']) {
          this.pumps.get(follower)?.wake();
        }
      }
      return outcomes;
    });
  }

  private relayFollowUps(task: FollowUpTask): Promise<boolean> {
    return this.relayBatch({ topic: task.topic, kinds: task.kinds, size: task.batchSize }, async (lease) => {
      const { claim, signal } = lease;
      // A promotion queues what follows from it: that must not be done with the collections before it.
      await this.parts.catalog.refresh();
      const outcomes = await isolateFault(lease, claim.keys, (keys) =>
        task.run({
          keys,
          isBulk: claim.isBulk,
          signal,
          acknowledge: (transaction, done) => lease.acknowledge(transaction, done),
        }),
      );
      lease.settle(keysWith(outcomes, 'done'));
      return outcomes;
    });
  }

  private async relayBatch(scope: ClaimScope, work: (lease: Lease) => Promise<Outcomes>): Promise<boolean> {
    const claim = await this.outbox.claim(scope, this.settings.leaseMs);
    if (!claim) return false;
    // There may be more.
    this.pumps.get(scope.topic)?.wake();
    const outcomes = await this.batches.run(claim, work);
    if (outcomes) this.report(scope.topic, outcomes);
    return true;
  }

  private async acknowledgePoints(lease: Lease, topic: PointTopic, keys: readonly ClaimedKey[]): Promise<void> {
    const lost = await this.outbox.acknowledge(lease.claim, keys);
    lease.settle(keys);
    // Another worker took these over while we wrote: what we wrote last may not be what belongs there.
    const points = lost.map((key) => ({ kind: key.kind, pointId: key.key }));
    await this.outbox.enqueuePoints(points, { isBulk: lease.claim.isBulk, topic });
  }

  private report(topic: OutboxTopic, outcomes: Outcomes): void {
    const progress = {
      topic,
      done: keysWith(outcomes, 'done').length,
      failed: keysWith(outcomes, 'failed').length,
    };
    for (const listener of this.progressListeners) listener(progress);
  }
}

import { setTimeout as delay } from 'node:timers/promises';

import type { Database, Transaction } from '../db/database';
import { isLockNotAvailable } from '../db/database-errors';
import { DomainError } from '../errors/domain-error';
import type { Logger } from '../logging/logger';
import type { ModelDescriptor } from '../model/embedder';
import { nameModel, type Embedders } from '../model/embedders';
import type { FollowUpTask } from '../outbox/follow-up';
import type { RecordKind } from '../record/record-spec';
import type { CollectionCatalog } from '../vector/collections';
import { GenerationStore, modelOf, type Generation } from '../vector/generation-store';
import type { VectorStore } from '../vector/vector-store';
import { StandbyCheck } from './standby-check';
import { StandbyStore, type StandbyCount } from './standby-store';

/** Where a change of the model can be cut short with different consequences; tests kill here. */
export type ModelChangeStep = 'added' | 'queued' | 'checked' | 'exchanged' | 'aliased' | 'promoted' | 'retired';

export interface ModelChangeParts {
  database: Database;
  store: VectorStore;
  catalog: CollectionCatalog;
  embedders: Embedders;
  kinds: readonly RecordKind[];
  /** What features do once a point has a new vector; after a promotion every point has one. */
  followUps: readonly Pick<FollowUpTask, 'topic' | 'kinds'>[];
  logger: Logger;
  onStep?: (step: ModelChangeStep) => void | Promise<void>;
}

/** `next`: never promoted yet. `former`: live before, and kept up to date so that it can be again. */
export type StandbyRole = 'next' | 'former';

export interface KnownModel {
  model: ModelDescriptor;
  /** `unused`: no collection that is read or kept up to date is of it. */
  state: 'live' | StandbyRole | 'unused';
  /** Whether this process has it. */
  isConfigured: boolean;
}

export interface ModelStatus {
  live: ModelDescriptor;
  /** What is beside the live collections; null when nothing is. */
  standby: {
    role: StandbyRole;
    model: ModelDescriptor;
    /** Whether this process has the model. */
    isConfigured: boolean;
    kinds: (StandbyCount & { collection: string })[];
    /** Whether promoting it would lose nothing to searches. */
    isComplete: boolean;
  } | null;
}

export interface Promotion {
  former: ModelDescriptor;
  live: ModelDescriptor;
  /** Whether the former collections are kept up to date, to be promoted again. */
  keepsFormer: boolean;
}

const POLL_MS = 250;
/** Counting reads the ledger; no more than this share of the time goes into it. */
const MAX_LOAD = 0.1;
/** Below the time that relays wait for a database; writers that hold rows longer are waited for by asking again. */
const LOCK_TIMEOUT = '2s';

/**
 * Changes the model while searches go on. The next generation of every kind is built beside the live one, from the rows and
 * through the outbox, and follows all changes from then on. Once it holds all that the live one does, the two change
 * places: in the database in one transaction, in the vector server by one request. Each step may be cut short and run
 * again.
 */
export class ModelChange {
  private readonly kinds: readonly RecordKind[];
  private readonly names: readonly string[];
  private readonly standby: StandbyStore;

  constructor(private readonly parts: ModelChangeParts) {
    this.kinds = parts.kinds.filter((kind) => kind.embedding !== undefined);
    this.names = this.kinds.map((kind) => kind.kind);
    this.standby = new StandbyStore(parts.database, this.names);
  }

  /** Every model that is known, the live one first. */
  async list(): Promise<KnownModel[]> {
    const { database, catalog, embedders } = this.parts;
    await catalog.refresh();
    const { route } = catalog;
    const [beside] = route.standby;
    const known = await new GenerationStore(database).models();
    return known
      .map(({ id, ...model }) => {
        const role = beside?.promotedAt === null ? ('next' as const) : ('former' as const);
        const state = id === route.model.modelId ? 'live' : id === beside?.modelId ? role : 'unused';
        return { model, state, isConfigured: embedders.of(model) !== undefined } as const;
      })
      .sort((a, b) => Number(b.state === 'live') - Number(a.state === 'live'));
  }

  async status(): Promise<ModelStatus> {
    await this.parts.catalog.refresh();
    const { route } = this.parts.catalog;
    const live = modelOf(route.model);
    const [first] = route.standby;
    if (!first) return { live, standby: null };
    const model = modelOf(first);
    const collections = new Map(route.standby.map(({ kind, collection }) => [kind, collection]));
    const counts = await this.standby.count();
    return {
      live,
      standby: {
        role: first.promotedAt === null ? 'next' : 'former',
        model,
        isConfigured: this.parts.embedders.of(model) !== undefined,
        kinds: counts.map((count) => ({ ...count, collection: collections.get(count.kind) ?? '' })),
        isComplete: lacking(counts) === 0 && counts.every(({ kind }) => collections.has(kind)),
      },
    };
  }

  /**
   * Makes collections beside the live ones, of the model that is to follow or, where none is configured, of the configured
   * one once more, and queues every point for them. Run again, it goes on where it was cut short.
   * @returns how many points were queued
   * @throws CONFLICT another model is beside the live one
   */
  async prepare(): Promise<number> {
    const { catalog, embedders } = this.parts;
    const { model } = embedders.next ?? embedders.configured;
    await catalog.addStandby(model);
    await this.step('added');
    await catalog.refresh();
    // Only now, so that every change that this does not see is followed by whoever carries it to the live collections.
    if (model.maxTokens < catalog.route.model.maxTokens) await this.standby.queueRecords(this.kinds);
    const queued = await this.standby.queueMissing();
    await this.step('queued');
    return queued;
  }

  /**
   * Waits until what is beside the live collections holds all that they do. Somebody has to relay meanwhile.
   * @throws GENERATION_INCOMPLETE points were given up
   * @throws CONFLICT there is nothing beside the live collections any more
   */
  async waitUntilFilled(options: {
    onProgress?: (filled: number, rows: number) => void;
    signal?: AbortSignal;
  }): Promise<void> {
    for (;;) {
      const startedAt = performance.now();
      const counts = await this.standby.count();
      options.onProgress?.(sum(counts, 'filled'), sum(counts, 'rows'));
      if (lacking(counts) === 0) return;
      await this.parts.catalog.refresh();
      if (this.parts.catalog.route.standby.length === 0) throw givenUp();
      if (!(await this.standby.isWorkedOn())) {
        if (sum(counts, 'missing') === 0) throw incomplete(counts);
        await this.standby.queueMissing();
      }
      const pauseMs = Math.max(POLL_MS, (performance.now() - startedAt) / MAX_LOAD);
      await delay(pauseMs, undefined, { signal: options.signal });
    }
  }

  /**
   * Compares what is beside the live collections with the vector server, and queues what it lacks or should not have.
   * @returns how many points
   */
  async check(signal?: AbortSignal): Promise<number> {
    const check = new StandbyCheck(this.parts.database, this.parts.store);
    let wrong = 0;
    for (const generation of this.parts.catalog.route.standby) {
      const kind = this.kinds.find((one) => one.kind === generation.kind);
      if (!kind) continue;
      for await (const pointIds of check.wrong(kind, generation, signal)) {
        await this.standby.requeue(kind.kind, pointIds);
        wrong += pointIds.length;
      }
    }
    await this.step('checked');
    return wrong;
  }

  /**
   * What is beside the live collections takes their place, for all kinds at once: aliases in one request, and the database
   * in one transaction. What was live is kept up to date from then on if this process has its model, and retired
   * otherwise. Everything that follows from vectors is queued to follow again.
   * @param options.role what is to be promoted: `next`, or `former` to go back
   * @param options.waitMs how long to wait for changes that are just being carried over
   * @throws GENERATION_INCOMPLETE something would be lost to searches
   * @throws CONFLICT there is nothing of that role beside the live collections
   */
  async promote({
    role = 'next',
    waitMs = 0,
    signal,
  }: { role?: StandbyRole; waitMs?: number; signal?: AbortSignal } = {}): Promise<Promotion> {
    // What an earlier one left behind, a collection that was lost or an alias that went ahead, is put right first.
    await this.parts.catalog.restore();
    this.checkStandby(this.parts.catalog.route.standby, role);
    await this.check(signal);
    const deadline = performance.now() + waitMs;
    for (;;) {
      try {
        return await this.exchange(role);
      } catch (error) {
        const isBehind = error instanceof DomainError && (error.code === 'GENERATION_INCOMPLETE' || error.retryable);
        const mayPass = isBehind || isLockNotAvailable(error);
        if (!mayPass || performance.now() >= deadline) throw error;
        await delay(POLL_MS, undefined, { signal });
      }
    }
  }

  /**
   * Gives up what is beside the live collections, and deletes the collections that nothing reads any more.
   * @returns the collections deleted
   */
  async drop(): Promise<string[]> {
    const { database, catalog } = this.parts;
    await database.transaction({}, async (transaction) => {
      const generations = new GenerationStore(transaction);
      const current = await generations.lock(this.names);
      const live = current.find(({ state }) => state === 'live');
      const standby = current.find(({ state }) => state === 'building');
      await generations.retireStandby(this.names);
      const store = new StandbyStore(transaction, this.names);
      await store.forget();
      // Chunks had to fit both.
      if (live && standby && standby.maxTokens < live.maxTokens) await store.queueRecords(this.kinds);
    });
    await this.step('retired');
    await catalog.refresh();
    return catalog.dropRetired();
  }

  private async exchange(role: StandbyRole): Promise<Promotion> {
    const { database, catalog, embedders, logger } = this.parts;
    const before = await this.standby.count();
    if (lacking(before) > 0) throw incomplete(before);
    const promotion = await database.transaction({ isBulk: true }, async (transaction) => {
      await transaction.query(`SELECT set_config('lock_timeout', $1, true)`, [LOCK_TIMEOUT]);
      const generations = new GenerationStore(transaction);
      // Before the lock, because it takes the longest, and relays could record nothing meanwhile.
      await this.queueFollowUps(transaction);
      const current = await generations.lock(this.names);
      const standby = current.filter(({ state }) => state === 'building');
      const next = this.checkStandby(standby, role);
      const former = modelOf(current.find(({ state }) => state === 'live') ?? next);
      const store = new StandbyStore(transaction, this.names);
      const counts = await store.count();
      if (lacking(counts) > 0) throw incomplete(counts);
      const keepsFormer = embedders.of(former) !== undefined;
      await store.exchange(keepsFormer);
      await generations.exchange(this.names, keepsFormer);
      const live = modelOf(next);
      await this.queueFollowUps(transaction, { isRecentOnly: true });
      if (countsOtherwise(live, former)) await store.queueRecords(this.kinds);
      await this.step('exchanged');
      // Last, so that little can come between the two. Aliases that are ahead of a commit that did not come are led back by
      // any start, and by the next promotion.
      await catalog.leadAliases(standby);
      await this.step('aliased');
      return { former, live, keepsFormer };
    });
    await this.step('promoted');
    await catalog.refresh();
    logger.info({ live: nameModel(promotion.live), former: nameModel(promotion.former) }, 'promoted another model');
    return promotion;
  }

  /** Everything has another vector in another model; in the same one it has not. */
  private async queueFollowUps(transaction: Transaction, options?: { isRecentOnly: boolean }): Promise<void> {
    const { route } = this.parts.catalog;
    if (route.standby.every(({ modelId }) => modelId === route.model.modelId)) return;
    const store = new StandbyStore(transaction, this.names);
    for (const { topic, kinds } of this.parts.followUps) await store.queueFollowUps(topic, kinds, options);
  }

  /** @returns any of the generations that are to be promoted */
  private checkStandby(standby: readonly Generation[], role: StandbyRole): Generation {
    const [first] = standby;
    const has = first?.promotedAt === null ? 'next' : 'former';
    if (!first || has !== role) {
      const what = role === 'next' ? 'No next model is' : 'No former model is kept';
      throw new DomainError(
        'CONFLICT',
        `${what} beside the live one. ` +
          (role === 'next' ? `Run 'kindred models prepare' first.` : `There is nothing to go back to.`),
      );
    }
    if (standby.length < this.names.length) {
      throw new DomainError(
        'GENERATION_INCOMPLETE',
        `Some kinds have no collection beside the live one. Run 'kindred models prepare' again.`,
      );
    }
    if (!this.parts.embedders.of(modelOf(first))) {
      throw new DomainError(
        'COLLECTION_MISMATCH',
        `${nameModel(modelOf(first))} is to be promoted, but is not configured here, so nothing could be searched with ` +
          `it. Name it in KINDRED_NEXT_EMBEDDER, here and for all servers.`,
      );
    }
    return first;
  }

  private async step(step: ModelChangeStep): Promise<void> {
    await this.parts.onStep?.(step);
  }
}

type CountName = Exclude<keyof StandbyCount, 'kind'>;

function sum(counts: readonly StandbyCount[], name: CountName): number {
  return counts.reduce((total, count) => total + count[name], 0);
}

const lacking = (counts: readonly StandbyCount[]): number => sum(counts, 'lacking');

function incomplete(counts: readonly StandbyCount[]): DomainError {
  const dead = sum(counts, 'dead');
  const kinds = counts.filter((count) => count.lacking > 0).map((count) => `${count.lacking} of ${count.kind}`);
  const remedy =
    dead > 0
      ? `${dead} were given up: 'kindred dead-letters list' says why, 'kindred dead-letters redrive' tries again.`
      : `Run 'kindred models prepare' and wait until 'kindred models status' says that it is complete.`;
  return new DomainError(
    'GENERATION_INCOMPLETE',
    `The collections of the next model lack ${lacking(counts)} points (${kinds.join(', ')}), which searches would miss. ${remedy}`,
    { details: { counts } },
  );
}

function givenUp(): DomainError {
  return new DomainError('CONFLICT', `What was beside the live collections has been dropped meanwhile.`);
}

/** Whether one model may want a text cut in other places than the other. */
function countsOtherwise(a: ModelDescriptor, b: ModelDescriptor): boolean {
  return a.maxTokens !== b.maxTokens || a.provider !== b.provider || a.name !== b.name;
}

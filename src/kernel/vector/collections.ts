import type { Database } from '../db/database';
import { DomainError } from '../errors/domain-error';
import type { Logger } from '../logging/logger';
import type { ModelDescriptor } from '../model/embedder';
import { nameModel } from '../model/embedders';
import type { RecordKind } from '../record/record-spec';
import { CollectionKeeper, defaultCollectionSettings, type CollectionSettings } from './collection-keeper';
import { GenerationStore, modelOf, type Generation, type NewGeneration } from './generation-store';
import { Route, type GenerationRole } from './route';
import type { VectorStore } from './vector-store';

export { defaultCollectionSettings, type CollectionSettings } from './collection-keeper';

export interface CollectionCatalogParts {
  database: Database;
  store: VectorStore;
  /** The configured one. */
  model: ModelDescriptor;
  /** The one that is to follow it, while it is being changed. */
  next?: ModelDescriptor;
  kinds: readonly RecordKind[];
  logger: Logger;
  settings?: CollectionSettings;
}

export interface CatalogStart {
  /** Whether to start although the stored embeddings are of a model that is not configured, so that it can be changed. */
  isModelChange?: boolean;
}

/** Processes that start together take turns. */
const LOCK_NAME = 'kindred_collections';

/**
 * The collections of every kind: which model fills which, and that they are there as they should be. Kindred reads and
 * writes a generation's own collection, so that a vector of one model never meets those of another; the alias, which
 * leads to the live one, is for others.
 */
export class CollectionCatalog {
  private readonly generations: GenerationStore;
  private readonly names: readonly string[];
  private readonly keeper: CollectionKeeper;
  private restoring: Promise<void> | undefined;
  private startedWith: CatalogStart = {};
  private modelIds: readonly number[] = [];
  private current = new Route([]);

  constructor(private readonly parts: CollectionCatalogParts) {
    const embeddable = parts.kinds.filter((kind) => kind.embedding !== undefined);
    this.generations = new GenerationStore(parts.database);
    this.names = embeddable.map((kind) => kind.kind);
    const settings = parts.settings ?? defaultCollectionSettings;
    this.keeper = new CollectionKeeper(parts.store, embeddable, settings, parts.logger);
  }

  /** The name under which other programs find a kind's live collection. */
  alias(kind: string): string {
    return this.keeper.alias(kind);
  }

  /** Where to read now; hold on to it for as long as what is read belongs together. Known once started. */
  get route(): Route {
    return this.current;
  }

  /** The live model; the configured one until started. */
  get liveModel(): ModelDescriptor {
    return this.current.isKnown ? modelOf(this.current.model) : this.parts.model;
  }

  /** Looks at the generations again: another process may have promoted others. */
  async refresh(): Promise<void> {
    this.current = new Route(await this.generations.current(this.names));
  }

  /**
   * Creates what is missing and checks what is there. A collection that the vector server lost is created again and all
   * of its points are queued.
   * @throws COLLECTION_MISMATCH another model, dimensions or distance than configured; says what to do
   */
  async start(options: CatalogStart = this.startedWith): Promise<void> {
    this.startedWith = options;
    await this.parts.database.transaction({}, async (lock) => {
      await lock.query('SELECT pg_advisory_xact_lock(hashtext($1))', [LOCK_NAME]);
      const { model, next } = this.parts;
      const [modelIds, known, collections, aliases] = await Promise.all([
        Promise.all([model, ...(next ? [next] : [])].map((one) => this.generations.registerModel(one))),
        this.generations.all(this.names),
        this.parts.store.listCollections(),
        this.parts.store.listAliases(),
      ]);
      this.modelIds = modelIds;
      const present = new Set(collections);
      const all = await this.withLiveGenerations(known, present);
      const current = all.filter((generation) => generation.state !== 'retired');
      await Promise.all(current.map((generation) => this.ensure(generation, present, known)));
      const live = all.filter((generation) => generation.state === 'live');
      await this.keeper.leadAliases(live, all, aliases);
    });
    await this.refresh();
  }

  /**
   * Whether the collections of these kinds are still as they were made. Where something else has changed one, it
   * refuses every point, and none of them is to blame.
   * @throws COLLECTION_MISMATCH says what to do
   */
  async confirm(kinds: readonly string[], role: GenerationRole): Promise<void> {
    const current = new Route(await this.generations.current(kinds));
    for (const generation of current.of(role)) {
      const info = await this.parts.store.describeCollection(generation.collection);
      if (info) this.keeper.checkShape(generation, info);
    }
  }

  /** Brings back collections that have vanished while running. Calls at the same time share one run. */
  restore(): Promise<void> {
    this.restoring ??= this.start().finally(() => {
      this.restoring = undefined;
    });
    return this.restoring;
  }

  /**
   * Gives every kind a generation of this model beside its live one, where it has none, and creates the collections.
   * @returns whether any of them is new
   * @throws CONFLICT another model, or a former generation, is beside the live one
   */
  async addStandby(model: ModelDescriptor): Promise<boolean> {
    return this.parts.database.transaction({}, async (lock) => {
      await lock.query('SELECT pg_advisory_xact_lock(hashtext($1))', [LOCK_NAME]);
      const modelId = await this.generations.registerModel(model);
      const known = await this.generations.all(this.names);
      const standby = known.filter((generation) => generation.state === 'building');
      const other = standby.find((one) => one.modelId !== modelId || one.promotedAt !== null);
      if (other) {
        throw new DomainError(
          'CONFLICT',
          `${other.promotedAt === null ? 'Collections' : 'The former collections'} of ${nameModel(modelOf(other))} are kept ` +
            `beside the live ones, and only one model can be. Run 'kindred models drop' to give them up.`,
        );
      }
      const present = new Set(await this.parts.store.listCollections());
      const missing = this.names.filter((name) => !standby.some(({ kind }) => kind === name));
      if (missing.length > 0) {
        const made = missing.map((name) => this.nextGeneration(name, model.name, known, present));
        // Committed before the collections are made: what is cut short here, the next start completes.
        await this.generations.makeStandby(modelId, made);
      }
      const added = (await this.generations.current(this.names)).filter(({ state }) => state === 'building');
      await Promise.all(added.map((generation) => this.ensure(generation, present, known)));
      return missing.length > 0;
    });
  }

  /** Leads every alias to what is live now. @param live about to be */
  async leadAliases(live: readonly Generation[]): Promise<void> {
    const [all, aliases] = await Promise.all([this.generations.all(this.names), this.parts.store.listAliases()]);
    await this.keeper.leadAliases(live, all, aliases);
  }

  /**
   * Deletes the collections of retired generations, which nothing reads any more.
   * @returns their names
   */
  async dropRetired(): Promise<string[]> {
    const all = await this.generations.all(this.names);
    const present = new Set(await this.parts.store.listCollections());
    const retired = all
      .filter((generation) => generation.state === 'retired' && present.has(generation.collection))
      .map((generation) => generation.collection);
    for (const collection of retired) await this.parts.store.deleteCollection(collection);
    return retired;
  }

  /**
   * Where points of these kinds belong now, straight from the database: another process may have promoted another
   * generation since.
   * @throws COLLECTION_MISMATCH this process has not the model of the generation that is meant
   */
  async targets(kinds: readonly string[], role: GenerationRole = 'live'): Promise<Map<string, CollectionTarget>> {
    const targets = new Map<string, CollectionTarget>();
    for (const generation of await this.generations.current(kinds)) {
      const target = targets.get(generation.kind) ?? { live: undefined, standby: undefined, collections: [] };
      targets.set(generation.kind, {
        ...target,
        [generation.state === 'live' ? 'live' : 'standby']: generation,
        collections: [...target.collections, generation.collection],
      });
    }
    for (const target of targets.values()) {
      const meant = target[role];
      if (meant && !this.modelIds.includes(meant.modelId)) throw this.otherModel([meant]);
    }
    return targets;
  }

  /** The kinds whose generation beside the live one this process can fill. */
  get fillable(): readonly string[] {
    return this.current.standby.filter(({ modelId }) => this.modelIds.includes(modelId)).map(({ kind }) => kind);
  }

  /** @throws COLLECTION_MISMATCH the live model is not one that this process has */
  checkLive(): void {
    const { model } = this.current;
    if (!this.modelIds.includes(model.modelId)) throw this.otherModel([model]);
  }

  /** By kind, every collection that the vector server has of it, those of retired generations too. */
  async everyCollection(kinds: readonly string[]): Promise<Map<string, string[]>> {
    const present = new Set(await this.parts.store.listCollections());
    const byKind = new Map<string, string[]>();
    for (const { kind, collection } of await this.generations.all(kinds)) {
      if (present.has(collection)) byKind.set(kind, [...(byKind.get(kind) ?? []), collection]);
    }
    return byKind;
  }

  /**
   * Every generation there is, with one that is live for each kind, all of one model: kinds without any get their first.
   * @param taken the vector server's collections
   */
  private async withLiveGenerations(
    known: readonly Generation[],
    taken: ReadonlySet<string>,
  ): Promise<readonly Generation[]> {
    const live = known.filter((generation) => generation.state === 'live');
    const { modelId, name } = await this.chooseModel(live);
    const missing = this.names.filter((kind) => !live.some((one) => one.kind === kind && one.modelId === modelId));
    if (missing.length === 0) return known;
    // The rows come first: a start that is cut short leaves generations whose collections the next start creates.
    await this.generations.makeLive(
      modelId,
      missing.map((kind) => this.nextGeneration(kind, name, known, taken)),
    );
    return this.generations.all(this.names);
  }

  /**
   * The model that the stored embeddings are of; the configured one while there are none.
   * @throws COLLECTION_MISMATCH it is not one of this process's
   */
  private async chooseModel(live: readonly Generation[]): Promise<{ modelId: number; name: string }> {
    const [first] = live;
    const isOne = live.every(({ modelId }) => modelId === first?.modelId);
    if (first && isOne && this.modelIds.includes(first.modelId))
      return { modelId: first.modelId, name: first.modelName };
    const filled: Generation[] = [];
    for (const one of live) if (await this.generations.hasPoints(one.kind)) filled.push(one);
    const [kept] = filled;
    if (!kept) return { modelId: this.modelIds[0] as number, name: this.parts.model.name };
    const foreign = filled.filter(({ modelId }) => modelId !== kept.modelId || !this.modelIds.includes(modelId));
    if (foreign.length > 0 && this.startedWith.isModelChange !== true) throw this.otherModel(foreign);
    return { modelId: kept.modelId, name: kept.modelName };
  }

  private nextGeneration(
    kind: string,
    modelName: string,
    known: readonly Generation[],
    taken: ReadonlySet<string>,
  ): NewGeneration {
    const numbers = known.filter((generation) => generation.kind === kind).map((generation) => generation.number);
    let number = Math.max(0, ...numbers) + 1;
    // A name that is taken holds points of another database.
    while (taken.has(this.keeper.collectionName(kind, modelName, number))) number++;
    return { kind, number, collection: this.keeper.collectionName(kind, modelName, number) };
  }

  /** @param known the generations that had been there before */
  private async ensure(
    generation: Generation,
    present: ReadonlySet<string>,
    known: readonly Generation[],
  ): Promise<void> {
    const wasCreated = await this.keeper.ensure(generation, present);
    if (!wasCreated || !known.some(({ id }) => id === generation.id)) return;
    const { kind, collection, state } = generation;
    const requeued =
      state === 'live' ? await this.generations.requeuePoints(kind) : await this.generations.requeueStandby(kind);
    if (requeued > 0) {
      this.parts.logger.warn({ collection, requeued }, 'collection had vanished; all of its points are queued');
    }
  }

  private otherModel(generations: readonly Generation[]): DomainError {
    const [first] = generations;
    const kinds = generations.map((generation) => generation.kind).join(', ');
    const configured = [this.parts.model, ...(this.parts.next ? [this.parts.next] : [])].map(nameModel).join(' and ');
    return new DomainError(
      'COLLECTION_MISMATCH',
      `The embeddings of ${kinds} were made by ${first && nameModel(modelOf(first))}, but ${configured} is configured. ` +
        `Vectors of two models cannot be compared. Configure the former model again; to change it, name the new one in ` +
        `KINDRED_NEXT_EMBEDDER beside it and run 'kindred reindex', which embeds everything with the new one.`,
      { details: { kinds: generations.map((generation) => generation.kind) } },
    );
  }
}

export interface CollectionTarget {
  /** Takes new points; absent while a kind has none. */
  live: Generation | undefined;
  /** Beside it: being filled, or kept up to date. */
  standby: Generation | undefined;
  /** Every collection that may hold a point of the kind. */
  collections: readonly string[];
}

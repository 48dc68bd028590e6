import type { Database } from '../db/database';
import { DomainError } from '../errors/domain-error';
import type { Logger } from '../logging/logger';
import type { ModelDescriptor } from '../model/embedder';
import type { RecordKind } from '../record/record-spec';
import { GenerationStore, type Generation, type NewGeneration } from './generation-store';
import { payloadIndexes } from './record-payload';
import type { CollectionInfo, QuantizationMode, VectorStore } from './vector-store';

export interface CollectionSettings {
  /** Start of every collection's and alias's name; tests on a shared server choose their own. */
  prefix: string;
  shardNumber?: number;
  replicationFactor?: number;
  writeConsistencyFactor?: number;
  quantization: QuantizationMode;
  isOnDisk: boolean;
}

export const defaultCollectionSettings: CollectionSettings = {
  prefix: 'kindred_',
  quantization: 'none',
  isOnDisk: false,
};

export interface CollectionCatalogParts {
  database: Database;
  store: VectorStore;
  model: ModelDescriptor;
  kinds: readonly RecordKind[];
  logger: Logger;
  settings?: CollectionSettings;
}

const DISTANCE = 'Cosine';
/** Processes that start together take turns. */
const LOCK_NAME = 'kindred_collections';
const LONGEST_SLUG = 60;

/**
 * The collections of every kind: which model fills which, and that they are there as they should be. Readers use the
 * alias, which always leads to the live generation; writers use the generation's own collection, so that a vector of one
 * model never lands among those of another.
 */
export class CollectionCatalog {
  private readonly generations: GenerationStore;
  private readonly embeddable: readonly RecordKind[];
  private readonly settings: CollectionSettings;
  private restoring: Promise<void> | undefined;
  private registeredModelId: number | undefined;

  constructor(private readonly parts: CollectionCatalogParts) {
    this.generations = new GenerationStore(parts.database);
    this.embeddable = parts.kinds.filter((kind) => kind.embedding !== undefined);
    this.settings = parts.settings ?? defaultCollectionSettings;
  }

  /** The name that reads go to. */
  alias(kind: string): string {
    return `${this.settings.prefix}${kind}`;
  }

  /** Id of the configured model; set once started. */
  get modelId(): number {
    if (this.registeredModelId === undefined) throw new Error('The collection catalog has not been started');
    return this.registeredModelId;
  }

  /**
   * Creates what is missing and checks what is there. A collection that the vector server lost is created again and all
   * of its points are queued.
   * @param options.isModelChange gives kinds of another model a new generation of the configured one and queues all of
   * their points, instead of refusing
   * @throws COLLECTION_MISMATCH another model, dimensions or distance than configured; says what to do
   */
  async start(options: { isModelChange?: boolean } = {}): Promise<void> {
    await this.parts.database.transaction({}, async (lock) => {
      await lock.query('SELECT pg_advisory_xact_lock(hashtext($1))', [LOCK_NAME]);
      const [modelId, known, collections, aliases] = await Promise.all([
        this.generations.registerModel(this.parts.model),
        this.generations.all(this.embeddable.map((kind) => kind.kind)),
        this.parts.store.listCollections(),
        this.parts.store.listAliases(),
      ]);
      this.registeredModelId = modelId;
      const present = new Set(collections);
      const all = await this.withLiveGenerations(known, present, options.isModelChange ?? false);
      const live = all.filter((generation) => generation.state === 'live');
      await Promise.all(live.map((generation) => this.ensureCollection(generation, present, known)));
      await this.ensureAliases(live, all, aliases);
    });
  }

  /**
   * Deletes the collections of retired generations, which nothing reads any more.
   * @returns their names
   */
  async dropRetired(): Promise<string[]> {
    const all = await this.generations.all(this.embeddable.map((kind) => kind.kind));
    const present = new Set(await this.parts.store.listCollections());
    const retired = all
      .filter((generation) => generation.state === 'retired' && present.has(generation.collection))
      .map((generation) => generation.collection);
    for (const collection of retired) await this.parts.store.deleteCollection(collection);
    return retired;
  }

  /**
   * Whether the live collections of these kinds are still as they were made. Where something else has changed one, it
   * refuses every point, and none of them is to blame.
   * @throws COLLECTION_MISMATCH says what to do
   */
  async confirm(kinds: readonly string[]): Promise<void> {
    const current = await this.generations.current(kinds);
    for (const generation of current.filter(({ state }) => state === 'live')) {
      const info = await this.parts.store.describeCollection(generation.collection);
      if (info) this.checkShape(generation, info);
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
   * Where points of these kinds belong now, straight from the database: another process may have promoted another
   * generation since.
   * @throws COLLECTION_MISMATCH the live generation is another model's
   */
  async targets(kinds: readonly string[]): Promise<Map<string, CollectionTarget>> {
    const targets = new Map<string, CollectionTarget>();
    for (const generation of await this.generations.current(kinds)) {
      const target = targets.get(generation.kind);
      const collections = [...(target?.collections ?? []), generation.collection];
      const live = generation.state === 'live' ? generation : target?.live;
      targets.set(generation.kind, { collections, live });
    }
    for (const { live } of targets.values()) if (live && live.modelId !== this.modelId) throw this.otherModel([live]);
    return targets;
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
   * Every generation there is, with one that is live for each kind: kinds without any get their first.
   * @param taken the vector server's collections
   */
  private async withLiveGenerations(
    known: readonly Generation[],
    taken: ReadonlySet<string>,
    isModelChange: boolean,
  ): Promise<readonly Generation[]> {
    const names = this.embeddable.map((kind) => kind.kind);
    const foreign: Generation[] = [];
    const missing: string[] = [];
    for (const name of names) {
      const live = known.find((generation) => generation.kind === name && generation.state === 'live');
      if (!live) missing.push(name);
      else if (live.modelId !== this.modelId) {
        if (await this.generations.hasPoints(name)) foreign.push(live);
        else missing.push(name);
      }
    }
    if (foreign.length > 0 && !isModelChange) throw this.otherModel(foreign);
    missing.push(...foreign.map((generation) => generation.kind));
    if (missing.length === 0) return known;
    // The rows come first: a start that is cut short leaves generations whose collections the next start creates.
    await this.generations.makeLive(
      this.modelId,
      missing.map((name) => this.nextGeneration(name, known, taken)),
    );
    for (const { id, kind } of foreign) {
      await this.generations.endAdoptions(kind);
      await this.generations.requeuePoints(id);
    }
    return this.generations.all(names);
  }

  private nextGeneration(kind: string, known: readonly Generation[], taken: ReadonlySet<string>): NewGeneration {
    const numbers = known.filter((generation) => generation.kind === kind).map((generation) => generation.number);
    let number = Math.max(0, ...numbers) + 1;
    // A name that is taken holds points of another database.
    while (taken.has(this.collectionName(kind, number))) number++;
    return { kind, number, collection: this.collectionName(kind, number) };
  }

  private collectionName(kind: string, number: number): string {
    const slug = this.parts.model.name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
    return `${this.alias(kind)}__${slug.slice(0, LONGEST_SLUG)}__${number}`;
  }

  /** @param known the generations that had been there before this start */
  private async ensureCollection(
    generation: Generation,
    present: ReadonlySet<string>,
    known: readonly Generation[],
  ): Promise<void> {
    const { store, logger } = this.parts;
    const { collection, kind } = generation;
    const indexes = payloadIndexes(this.kind(kind));
    const info = present.has(collection) ? await store.describeCollection(collection) : undefined;
    if (!info) {
      const { prefix: _, ...layout } = this.settings;
      await store.createCollection({
        name: collection,
        dimensions: generation.dimensions,
        payloadIndexes: indexes,
        ...layout,
      });
      const isNew = !known.some(({ id }) => id === generation.id);
      const requeued = isNew ? 0 : await this.generations.requeuePoints(generation.id);
      if (requeued > 0) logger.warn({ collection, requeued }, 'collection had vanished; all of its points are queued');
      else logger.debug({ collection }, 'collection created');
      return;
    }
    this.checkShape(generation, info);
    const lacking = Object.entries(indexes).filter(([key, type]) => info.payloadIndexes[key] !== type);
    await Promise.all(lacking.map(([key, type]) => store.createPayloadIndex(collection, key, type)));
  }

  private checkShape(generation: Generation, info: CollectionInfo): void {
    const { collection, dimensions } = generation;
    const isAsExpected = info.dimensions === dimensions && info.distance === DISTANCE && info.hasLexical;
    if (isAsExpected) return;
    throw new DomainError(
      'COLLECTION_MISMATCH',
      `The collection ${collection} has ${info.dimensions} dimensions and distance ${info.distance}` +
        `${info.hasLexical ? '' : ' and no lexical vectors'}; it must have ${dimensions} and ${DISTANCE} with lexical ` +
        `vectors. Something else has changed it: delete it in Qdrant and start again, and it is filled anew.`,
      { details: { collection } },
    );
  }

  private async ensureAliases(
    live: readonly Generation[],
    all: readonly Generation[],
    aliases: Readonly<Record<string, string>>,
  ): Promise<void> {
    const ours = new Set(all.map(({ collection }) => collection));
    const wrong: Record<string, string> = {};
    for (const { kind, collection } of live) {
      const target = aliases[this.alias(kind)];
      if (target === collection) continue;
      if (target !== undefined && !ours.has(target)) {
        throw new DomainError(
          'COLLECTION_MISMATCH',
          `The alias ${this.alias(kind)} in Qdrant leads to ${target}, which belongs to another database. Choose another ` +
            `collection prefix, or delete that alias if nothing uses it any more.`,
          { details: { alias: this.alias(kind), collection: target } },
        );
      }
      wrong[this.alias(kind)] = collection;
    }
    await this.parts.store.setAliases(wrong);
  }

  private otherModel(generations: readonly Generation[]): DomainError {
    const [first] = generations;
    const kinds = generations.map((generation) => generation.kind).join(', ');
    const { model } = this.parts;
    return new DomainError(
      'COLLECTION_MISMATCH',
      `The embeddings of ${kinds} were made by ${first?.provider}/${first?.modelName} ` +
        `(${first?.dimensions} dimensions), but ${model.provider}/${model.name} (${model.dimensions} dimensions) is ` +
        `configured. Vectors of two models cannot be compared: configure the former model again, or run ` +
        `'kindred reindex' to embed everything with the new one.`,
      { details: { kinds: generations.map((generation) => generation.kind) } },
    );
  }

  private kind(name: string): RecordKind {
    const found = this.embeddable.find((kind) => kind.kind === name);
    if (!found) throw new Error(`There is no embeddable kind ${name}`);
    return found;
  }
}

export interface CollectionTarget {
  /** Takes new points; absent while a kind has none. */
  live: Generation | undefined;
  /** Every collection that may hold a point of the kind. */
  collections: readonly string[];
}

import { badInput, collectionNotFound, notFound, QdrantError } from '../qdrant-error';
import type { AliasAction } from '../schema/collection.schema';
import type { VectorMemory } from '../simd/vector-memory';
import { DamagedStorageError, messageOf } from '../store/storage-error';
import type { Store, StoredCollection } from '../store/store';
import { Collection } from './collection';
import { restoreConfig, restoreIndexes, storedConfig, storedIndexes, type CollectionConfig } from './collection-config';

/** All collections and aliases, in memory and in the store. */
export class Engine {
  private collections = new Map<string, Collection>();
  /** alias → collection name */
  private aliases = new Map<string, string>();
  private failure: Error | undefined;

  /**
   * Loads everything.
   * @param onFault told when a commit fails: a client that did not wait is told by nobody else
   * @throws DamagedStorageError
   */
  constructor(
    private readonly memory: VectorMemory,
    readonly store: Store,
    onFault: (message: string) => void = () => {},
  ) {
    store.onCommitFailure = (error) => {
      onFault(`writes were lost, storage failed: ${messageOf(error)}`);
      this.reload();
    };
    this.load();
  }

  get vectorBytes(): number {
    return this.memory.usedBytes;
  }

  names(): string[] {
    return [...this.collections.keys()];
  }

  allAliases(): { alias: string; collection: string }[] {
    return [...this.aliases].map(([alias, collection]) => ({ alias, collection }));
  }

  has(name: string): boolean {
    return this.collections.has(this.aliases.get(name) ?? name);
  }

  /** By name or alias. @throws 404 */
  find(name: string): Collection {
    if (this.failure !== undefined) throw this.unusable();
    const collection = this.collections.get(this.aliases.get(name) ?? name);
    if (collection === undefined) throw collectionNotFound(name);
    return collection;
  }

  create(name: string, config: CollectionConfig): void {
    if (this.collections.has(name)) throw new QdrantError(409, `Wrong input: Collection \`${name}\` already exists!`);
    if (this.aliases.has(name)) {
      throw badInput(`Can't create collection with name ${name}. Alias with the same name already exists`);
    }
    this.writing(() => {
      const columns = [...config.vectors.values()].map(({ column }) => column);
      const id = this.store.createCollection(name, storedConfig(config), columns);
      this.open({ id, name, config: '', indexes: '', points: 0, operation: 0 }, config);
    });
  }

  /** Whether it was there. Its aliases go with it. An alias does not name a collection here. */
  delete(name: string): boolean {
    const collection = this.collections.get(name);
    if (collection === undefined) return false;
    this.writing(() => this.store.dropCollection(collection.id));
    collection.release();
    this.collections.delete(name);
    for (const [alias, target] of [...this.aliases]) if (target === name) this.aliases.delete(alias);
    return true;
  }

  /** All actions or, when one cannot be done, none. */
  changeAliases(actions: readonly AliasAction[]): void {
    const next = new Map(this.aliases);
    for (const { create, delete: removed, rename } of actions) {
      if (create !== undefined) {
        if (!this.collections.has(create.collection)) throw collectionNotFound(create.collection);
        this.refuseCollectionName(create.alias);
        next.set(create.alias, create.collection);
      }
      if (removed !== undefined) next.delete(removed);
      if (rename !== undefined) {
        const target = next.get(rename.from);
        if (target === undefined) throw notFound(`Alias ${rename.from} does not exists!`);
        this.refuseCollectionName(rename.to);
        next.delete(rename.from);
        next.set(rename.to, target);
      }
    }
    this.writing(() => {
      const byId = [...next].map(([alias, name]): [string, number] => [alias, this.find(name).id]);
      this.store.replaceAliases(new Map(byId));
    });
    this.aliases = next;
  }

  /** Saves what a collection is, after its settings, vectors or indexes changed. */
  saveConfig(collection: Collection): void {
    this.writing(() =>
      this.store.updateCollection(collection.id, storedConfig(collection.config), storedIndexes(collection.indexes)),
    );
  }

  /**
   * Runs a change. When it fails halfway, for want of disk space say, memory is brought back to what the store holds.
   * Refusals (`QdrantError`) pass: they are thrown before, or deliberately after, consistent writes.
   */
  writing<T>(change: () => T): T {
    if (this.failure !== undefined) throw this.unusable();
    try {
      return change();
    } catch (error) {
      if (error instanceof QdrantError && error.status < 500) throw error;
      this.store.abandon(error);
      this.reload();
      throw error;
    }
  }

  private refuseCollectionName(alias: string): void {
    if (!this.collections.has(alias)) return;
    throw new QdrantError(409, `Wrong input: Collection \`${alias}\` already exists!`);
  }

  private reload(): void {
    for (const collection of this.collections.values()) collection.release();
    try {
      this.load();
      this.failure = undefined;
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
    }
  }

  private unusable(): QdrantError {
    return new QdrantError(500, `Service internal error: storage cannot be read: ${this.failure?.message ?? ''}`);
  }

  private load(): void {
    this.collections = new Map();
    const names = new Map<number, string>();
    for (const stored of this.store.collections()) {
      names.set(stored.id, stored.name);
      const collection = this.open(stored, this.readConfig(stored));
      const columns = [...collection.config.vectors.values()].map(({ column }) => column);
      for (const point of this.store.points(stored, columns)) {
        const damage = collection.restore(point);
        if (damage !== undefined) {
          throw new DamagedStorageError(this.store.file, `collection "${stored.name}": ${damage}`);
        }
      }
      collection.finishRestoring();
      // The rows are counted against the stored figures while reading; from here on the collection counts.
      this.store.table(stored.id, () => ({ points: collection.pointCount, operation: collection.operation }));
    }
    this.aliases = new Map();
    for (const { alias, collection } of this.store.aliases()) {
      const name = names.get(collection);
      if (name === undefined) throw new DamagedStorageError(this.store.file, `alias "${alias}" leads nowhere`);
      this.aliases.set(alias, name);
    }
  }

  private readConfig(stored: StoredCollection): CollectionConfig {
    try {
      return restoreConfig(stored.config);
    } catch (error) {
      throw new DamagedStorageError(
        this.store.file,
        `the settings of collection "${stored.name}" cannot be read`,
        error,
      );
    }
  }

  private open(stored: StoredCollection, config: CollectionConfig): Collection {
    const indexes = stored.indexes === '' ? new Map() : restoreIndexes(stored.indexes);
    const table = this.store.table(stored.id, () => ({
      points: collection.pointCount,
      operation: collection.operation,
    }));
    const collection: Collection = new Collection(this.memory, table, stored.id, stored.name, config, indexes);
    collection.operation = stored.operation;
    this.collections.set(stored.name, collection);
    return collection;
  }
}

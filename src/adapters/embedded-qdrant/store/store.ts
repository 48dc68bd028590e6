import fs from 'node:fs';
import path from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';
import { CommitSequence } from './commit-sequence';
import { FolderLock } from './folder-lock';
import { PointTable, type StoredPoint } from './point-table';
import { DamagedStorageError, isCorrupt, messageOf, StorageInUseError, UnusableFolderError } from './storage-error';
import { prepareDatabase, readSequence, refuseForeignFile } from './storage-format';

export interface StoredCollection {
  id: number;
  name: string;
  config: string;
  indexes: string;
  points: number;
  operation: number;
}

/**
 * Everything that survives a restart, in one SQLite database: `storage.sqlite` in write-ahead mode, in a folder locked
 * for this process. Writes join the open transaction; `durable()` resolves once that transaction is committed and synced, so
 * that concurrent writers share one sync.
 */
export class Store {
  readonly file: string;
  private readonly database: DatabaseSyncInstance;
  private readonly sequenceFile: CommitSequence | undefined;
  private readonly lock: FolderLock | undefined;
  private readonly tables = new Map<number, PointTable>();
  private readonly counters = new Map<number, () => { points: number; operation: number }>();
  private readonly dirty = new Set<number>();
  private readonly saveCounters: StatementSyncInstance;
  private readonly saveSequence: StatementSyncInstance;
  private waiters: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  private isInTransaction = false;
  private isScheduled = false;
  private sequence: number;

  /**
   * @param folder made when missing; `:memory:` keeps nothing
   * @throws StorageInUseError another process, or another server in this one, has the folder open
   * @throws DamagedStorageError the file is not what was written
   */
  constructor(folder: string) {
    const isKept = folder !== ':memory:';
    const sequenceFile = path.join(folder, 'storage.sequence');
    this.file = isKept ? path.join(folder, 'storage.sqlite') : folder;
    if (isKept) {
      this.lock = lockFolder(folder);
    }
    let database: DatabaseSyncInstance | undefined;
    try {
      if (isKept) refuseForeignFile(this.file, sequenceFile);
      database = this.reporting(() => new DatabaseSync(this.file, { timeout: 0 }));
      this.database = database;
      this.reporting(() => prepareDatabase(this.database, this.file));
      this.sequence = this.reporting(() => readSequence(this.database, this.file));
      this.sequenceFile = isKept ? new CommitSequence(sequenceFile, this.file) : undefined;
      this.sequenceFile?.verify(this.sequence);
      this.saveCounters = this.database.prepare('UPDATE collections SET points = ?, operation = ? WHERE id = ?');
      this.saveSequence = this.database.prepare('UPDATE state SET sequence = ?');
    } catch (error) {
      this.sequenceFile?.close();
      database?.close();
      this.lock?.release();
      throw error;
    }
  }

  collections(): StoredCollection[] {
    const sql = 'SELECT id, name, config, indexes, points, operation FROM collections ORDER BY id';
    return this.reporting(() => this.database.prepare(sql).all() as StoredCollection[]);
  }

  aliases(): { alias: string; collection: number }[] {
    const sql = 'SELECT alias, collection FROM aliases ORDER BY alias';
    return this.reporting(() => this.database.prepare(sql).all() as { alias: string; collection: number }[]);
  }

  /** @param counters read at each commit that touched the collection */
  table(id: number, counters: () => { points: number; operation: number }): PointTable {
    this.counters.set(id, counters);
    let table = this.tables.get(id);
    if (table === undefined) {
      table = new PointTable(this.database, id, () => this.touch(id));
      this.tables.set(id, table);
    }
    return table;
  }

  /** @throws DamagedStorageError a row fails its checksum, or rows are missing */
  *points(collection: StoredCollection, columns: readonly number[]): Generator<StoredPoint> {
    const table = this.table(collection.id, () => collection);
    let count = 0;
    try {
      for (const point of table.readAll(columns)) {
        if (point === 'damaged') {
          throw new DamagedStorageError(this.file, `a point of collection "${collection.name}" fails its checksum`);
        }
        count += 1;
        yield point;
      }
    } catch (error) {
      throw this.damage(error);
    }
    if (count !== collection.points) {
      const detail = `collection "${collection.name}" holds ${count} points instead of ${collection.points}`;
      throw new DamagedStorageError(this.file, detail);
    }
  }

  /** @returns the new collection's number */
  createCollection(name: string, config: string, columns: readonly number[]): number {
    this.begin();
    const sql = "INSERT INTO collections (name, config, indexes, points, operation) VALUES (?, ?, '[]', 0, 0)";
    const id = Number(this.database.prepare(sql).run(name, config).lastInsertRowid);
    PointTable.create(this.database, id, columns);
    return id;
  }

  updateCollection(id: number, config: string, indexes: string): void {
    this.touch(id);
    this.database.prepare('UPDATE collections SET config = ?, indexes = ? WHERE id = ?').run(config, indexes, id);
  }

  dropCollection(id: number): void {
    this.begin();
    this.tables.delete(id);
    this.counters.delete(id);
    this.dirty.delete(id);
    PointTable.drop(this.database, id);
    this.database.prepare('DELETE FROM aliases WHERE collection = ?').run(id);
    this.database.prepare('DELETE FROM collections WHERE id = ?').run(id);
  }

  replaceAliases(aliases: ReadonlyMap<string, number>): void {
    this.begin();
    this.database.exec('DELETE FROM aliases');
    const insert = this.database.prepare('INSERT INTO aliases (alias, collection) VALUES (?, ?)');
    for (const [alias, collection] of aliases) insert.run(alias, collection);
  }

  /** Resolves when everything written so far is on disk. @throws whatever kept the commit from happening */
  durable(): Promise<void> {
    if (!this.isInTransaction) return Promise.resolve();
    return new Promise((resolve, reject) => this.waiters.push({ resolve, reject }));
  }

  /** Gives up everything since the last commit; whoever waits for it is refused with `error`. */
  abandon(error: unknown): void {
    const { waiters } = this;
    this.waiters = [];
    this.dirty.clear();
    this.tables.clear();
    this.counters.clear();
    this.isInTransaction = false;
    if (this.database.isTransaction) this.database.exec('ROLLBACK');
    for (const { reject } of waiters) reject(error);
  }

  /** Called when a scheduled commit fails, after `abandon`. */
  onCommitFailure: (error: unknown) => void = () => {};

  /** Commits now. */
  flush(): void {
    if (!this.isInTransaction) return;
    const { waiters } = this;
    try {
      for (const id of this.dirty) {
        const { points, operation } = (this.counters.get(id) as () => { points: number; operation: number })();
        this.saveCounters.run(points, operation, id);
      }
      this.saveSequence.run(this.sequence + 1);
      this.database.exec('COMMIT');
      this.sequence += 1;
      this.sequenceFile?.write(this.sequence);
    } catch (error) {
      this.abandon(error);
      this.onCommitFailure(error);
      return;
    }
    this.waiters = [];
    this.dirty.clear();
    this.isInTransaction = false;
    for (const { resolve } of waiters) resolve();
  }

  /** @param isUnread whether loading failed, so that the files must stay as they are */
  close(isUnread = false): void {
    this.flush();
    this.tables.clear();
    if (!isUnread) this.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.database.close();
    this.sequenceFile?.close();
    this.lock?.release();
  }

  private touch(id: number): void {
    this.begin();
    this.dirty.add(id);
  }

  private begin(): void {
    if (!this.isInTransaction) {
      this.database.exec('BEGIN IMMEDIATE');
      this.isInTransaction = true;
    }
    if (this.isScheduled) return;
    this.isScheduled = true;
    // After the requests that this turn of the event loop has read, so that they share the commit.
    setImmediate(() => {
      this.isScheduled = false;
      this.flush();
    });
  }

  private reporting<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.damage(error);
    }
  }

  private damage(error: unknown): unknown {
    return isCorrupt(error) ? new DamagedStorageError(this.file, messageOf(error), error) : error;
  }
}

function lockFolder(folder: string): FolderLock {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    return new FolderLock(path.join(folder, 'storage.lock'), folder);
  } catch (error) {
    throw error instanceof StorageInUseError ? error : new UnusableFolderError(folder, error);
  }
}

import fs from 'node:fs';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { DamagedStorageError } from './storage-error';

const FORMAT_VERSION = 1;
/** "KQDR": tells this file from other SQLite files. */
const APPLICATION_ID = 0x4b514452;

/** @throws DamagedStorageError the file is no database, or is missing or empty although it held data */
export function refuseForeignFile(file: string, sequenceFile: string): void {
  if (!fs.existsSync(file)) {
    if (!fs.existsSync(sequenceFile) || fs.statSync(sequenceFile).size === 0) return;
    throw new DamagedStorageError(file, `it is missing while ${sequenceFile} says that it held data`);
  }
  const descriptor = fs.openSync(file, 'r');
  try {
    const header = Buffer.alloc(16);
    const length = fs.readSync(descriptor, header, 0, 16, 0);
    if (length > 0 && header.toString('latin1') !== 'SQLite format 3\0') {
      throw new DamagedStorageError(file, 'it does not begin like a database');
    }
    const hasHistory = fs.existsSync(sequenceFile) && fs.statSync(sequenceFile).size > 0;
    if (length === 0 && hasHistory) throw new DamagedStorageError(file, 'it is empty');
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * Sets the database up for durable writes; a new one gets its tables.
 * @throws DamagedStorageError it is not one of ours, not of this format, or damaged
 */
export function prepareDatabase(database: DatabaseSyncInstance, file: string): void {
  database.exec('PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL');
  database.exec('PRAGMA journal_mode = WAL');
  // FULL: a commit is on disk before it is acknowledged, after a power loss too.
  database.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -16000; PRAGMA foreign_keys = OFF');
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  const { application_id: owner } = database.prepare('PRAGMA application_id').get() as { application_id: number };
  if (version === 0 && owner === 0) {
    createTables(database);
    return;
  }
  if (owner !== APPLICATION_ID) throw new DamagedStorageError(file, 'it is a database of another program');
  if (version !== FORMAT_VERSION) {
    throw new DamagedStorageError(file, `its format is ${version}, this version reads ${FORMAT_VERSION}`);
  }
  const check = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
  if (check.quick_check !== 'ok') throw new DamagedStorageError(file, check.quick_check);
}

function createTables(database: DatabaseSyncInstance): void {
  database.exec(`
    BEGIN IMMEDIATE;
    CREATE TABLE state (sequence INTEGER NOT NULL);
    INSERT INTO state VALUES (0);
    CREATE TABLE collections (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      config TEXT NOT NULL,
      indexes TEXT NOT NULL,
      points INTEGER NOT NULL,
      operation INTEGER NOT NULL
    );
    CREATE TABLE aliases (alias TEXT PRIMARY KEY, collection INTEGER NOT NULL);
    PRAGMA user_version = ${FORMAT_VERSION};
    PRAGMA application_id = ${APPLICATION_ID};
    COMMIT;
  `);
}

/** The number of the last commit. */
export function readSequence(database: DatabaseSyncInstance, file: string): number {
  const row = database.prepare('SELECT sequence FROM state').get() as { sequence: number } | undefined;
  if (row === undefined) throw new DamagedStorageError(file, 'its state is missing');
  return row.sequence;
}

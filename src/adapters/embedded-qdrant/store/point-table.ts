import { crc32 } from 'node:zlib';
import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';

export interface StoredPoint {
  slot: number;
  id: string;
  version: number;
  payload: string | undefined;
  /** By column, sealed; `undefined` where the point has no such vector. */
  vectors: (Uint8Array | undefined)[];
}

const checksumOf = (id: string, payload: string | undefined): number => crc32(`${id}\n${payload ?? ''}`);

/** The points of one collection: a row a slot, a column a vector name. */
export class PointTable {
  private readonly name: string;
  private readonly statements = new Map<string, StatementSyncInstance>();

  /** @param touch called before each write */
  constructor(
    private readonly database: DatabaseSyncInstance,
    collection: number,
    private readonly touch: () => void,
  ) {
    this.name = tableName(collection);
  }

  static create(database: DatabaseSyncInstance, collection: number, columns: readonly number[]): void {
    const vectors = columns.map((column) => `, v${column} BLOB`).join('');
    database.exec(`
      CREATE TABLE ${tableName(collection)} (
        slot INTEGER PRIMARY KEY, id TEXT NOT NULL, version INTEGER NOT NULL, payload TEXT, checksum INTEGER NOT NULL${vectors}
      )
    `);
  }

  static drop(database: DatabaseSyncInstance, collection: number): void {
    database.exec(`DROP TABLE ${tableName(collection)}`);
  }

  addColumn(column: number): void {
    this.touch();
    this.statements.clear();
    this.database.exec(`ALTER TABLE ${this.name} ADD COLUMN v${column} BLOB`);
  }

  dropColumn(column: number): void {
    this.touch();
    this.statements.clear();
    this.database.exec(`ALTER TABLE ${this.name} DROP COLUMN v${column}`);
  }

  /** @param vectors one a column of `columns`, sealed */
  put(
    point: Omit<StoredPoint, 'vectors'>,
    columns: readonly number[],
    vectors: readonly (Uint8Array | undefined)[],
  ): void {
    this.touch();
    const { slot, id, version, payload } = point;
    const checksum = checksumOf(id, payload);
    const names = columns.map((column) => `, v${column}`).join('');
    const marks = columns.map(() => ', ?').join('');
    this.statement(
      `INSERT OR REPLACE INTO ${this.name} (slot, id, version, payload, checksum${names}) VALUES (?, ?, ?, ?, ?${marks})`,
    ).run(slot, id, version, payload ?? null, checksum, ...vectors.map((vector) => vector ?? null));
  }

  putPayload(slot: number, id: string, version: number, payload: string | undefined): void {
    this.touch();
    const sql = `UPDATE ${this.name} SET version = ?, payload = ?, checksum = ? WHERE slot = ?`;
    this.statement(sql).run(version, payload ?? null, checksumOf(id, payload), slot);
  }

  putVector(slot: number, version: number, column: number, vector: Uint8Array | undefined): void {
    this.touch();
    const sql = `UPDATE ${this.name} SET version = ?, v${column} = ? WHERE slot = ?`;
    this.statement(sql).run(version, vector ?? null, slot);
  }

  delete(slot: number): void {
    this.touch();
    this.statement(`DELETE FROM ${this.name} WHERE slot = ?`).run(slot);
  }

  readVector(slot: number, column: number): Uint8Array | undefined {
    const sql = `SELECT v${column} AS vector FROM ${this.name} WHERE slot = ?`;
    const row = this.statement(sql).get(slot) as { vector: Uint8Array | null } | undefined;
    return row?.vector ?? undefined;
  }

  *readAll(columns: readonly number[]): Generator<StoredPoint | 'damaged'> {
    const vectors = columns.map((column) => `, v${column}`).join('');
    const sql = `SELECT slot, id, version, payload, checksum${vectors} FROM ${this.name} ORDER BY slot`;
    const statement = this.database.prepare(sql);
    statement.setReturnArrays(true);
    type Row = [number, string, number, string | null, number, ...(Uint8Array | null)[]];
    for (const row of statement.iterate() as IterableIterator<Row>) {
      const [slot, id, version, storedPayload, checksum, ...stored] = row;
      const payload = storedPayload ?? undefined;
      if (checksumOf(id, payload) !== checksum) yield 'damaged';
      yield { slot, id, version, payload, vectors: stored.map((vector) => vector ?? undefined) };
    }
  }

  private statement(sql: string): StatementSyncInstance {
    let statement = this.statements.get(sql);
    if (statement === undefined) this.statements.set(sql, (statement = this.database.prepare(sql)));
    return statement;
  }
}

const tableName = (collection: number): string => `points_${collection}`;

import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import type { Transaction } from '../kernel/db/database';
import { DomainError } from '../kernel/errors/domain-error';
import { readVectorHome } from '../kernel/vector/vector-home';
import { Batch } from './batch';
import { captureChanges, keepSuperseded, MOVER } from './change-capture';
import { ownSchema, rowsOf, type LegacyParts } from './legacy-parts';
import { MoveStore, type Move } from './move-store';
import type { MoveSettings } from './move-settings';
import { shown, sqlName } from './names';
import type { RowSql } from './row-sql';
import { absentPoints } from './vector-home';

export interface CopyOptions {
  /** Rows of one transaction. */
  batchSize?: number;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

const BATCH_SIZE = 10_000;
const CHANGES_SIZE = 2_000;
const MAX_ATTEMPTS = 20;
const RETRY_MS = 50;

/** Rows with a chunk index come first, so that those without take what is left. */
function passes(row: RowSql): string[] {
  return row.table.roles.chunkIndex ? [row.isChunkGiven, `NOT (${row.isChunkGiven})`] : ['true'];
}

/**
 * Moves rows in batches, each one transaction that also notes how far it has come: a copy that is cut short goes on
 * where it was, and one that is run again finds nothing to do. Vectors are not touched here; the relay takes them over.
 */
export class Copy {
  private readonly moves: MoveStore;

  constructor(
    private readonly parts: LegacyParts,
    private readonly options: CopyOptions = {},
  ) {
    this.moves = new MoveStore(parts.database);
  }

  /**
   * Copies what there is, and what is written meanwhile.
   * @throws CONFLICT after the cutover
   */
  async run(settings: MoveSettings): Promise<void> {
    const move = await this.begin(settings);
    const row = await rowsOf(this.parts, move);
    const total = await this.count(row);
    await this.walk(row, move, total);
    // What was refused because of another row may be free to move by now.
    await this.parts.database.query(
      `INSERT INTO legacy_changes (legacy_key) SELECT legacy_key FROM legacy_quarantine WHERE reason <> 'superseded'`,
    );
    await this.drain(row, move);
    if (this.options.signal?.aborted) return;
    await this.moves.setState('copied');
    this.options.onProgress?.(total, total);
  }

  /**
   * Brings over what was written to the table until now. Not what is written meanwhile: programs that write without a
   * pause would keep it at work for ever. @returns how many keys were looked at
   */
  async drain(row: RowSql, move: Move): Promise<number> {
    const [newest] = await this.parts.database.query<{ id: string | null }>('SELECT max(id) AS id FROM legacy_changes');
    let drained = 0;
    while (newest?.id != null && !this.options.signal?.aborted) {
      const { id } = newest;
      const taken = await this.retrying(() =>
        this.inTransaction(move, (transaction) => this.drainIn(transaction, row, move, id)),
      );
      drained += taken;
      if (taken === 0) break;
    }
    return drained;
  }

  private async begin(settings: MoveSettings): Promise<Move> {
    const known = await this.moves.read();
    if (known && known.state !== 'copying' && known.state !== 'copied') {
      throw new DomainError(
        'CONFLICT',
        `${shown(known.settings.table)} has been cut over already: what is written to it lands in the typed tables.`,
      );
    }
    if (known && sqlName(known.settings.table) !== sqlName(settings.table)) {
      throw new DomainError(
        'CONFLICT',
        `This database moves ${shown(known.settings.table)} already, and can move one table. Finish it, or undo it with \`kindred legacy rollback\`.`,
      );
    }
    if (known?.state === 'copied' || (known && !isDeepStrictEqual(known.settings, settings)))
      await this.moves.startOver(settings);
    if (!known) await this.prepare(settings);
    return (await this.moves.read()) as Move;
  }

  /** Writes are noted from before the first row is read, and rows can be found by their keys. */
  private async prepare(settings: MoveSettings): Promise<void> {
    const schema = await ownSchema(this.parts);
    await this.parts.database.transaction({}, async (transaction) => {
      const moves = new MoveStore(transaction);
      await moves.begin(settings);
      const row = await rowsOf(this.parts, (await moves.read()) as Move);
      for (const statement of captureChanges(row, schema)) await transaction.query(statement);
      for (const statement of keepSuperseded(row, row.table.sql, schema)) await transaction.query(statement);
      for (const kind of row.kinds) {
        await transaction.query(
          `CREATE UNIQUE INDEX IF NOT EXISTS uq_${kind.table}_legacy_id ON ${kind.table} ((${row.viewId(kind, kind.table)}))`,
        );
      }
    });
  }

  private async walk(row: RowSql, begun: Move, total: number): Promise<void> {
    let done = 0;
    const all = passes(row);
    // What is written from now on is noted, so a program that writes without a pause cannot prolong the walk.
    const last = await this.lastKey(row);
    if (last === null) return;
    let { pass, copiedThrough } = begun;
    while (pass < all.length && !this.options.signal?.aborted) {
      const at = { pass, copiedThrough };
      const taken = await this.retrying(() => this.copySome(row, begun, all[at.pass] as string, at, last));
      done += taken.count;
      copiedThrough = taken.last;
      if (taken.last === null) pass += 1;
      this.options.onProgress?.(Math.min(done, total), total);
    }
  }

  private async copySome(
    row: RowSql,
    move: Move,
    condition: string,
    at: { pass: number; copiedThrough: string | null },
    through: string,
  ): Promise<{ count: number; last: string | null }> {
    const { key } = row.table;
    return this.inTransaction(move, async (transaction) => {
      const batch = new Batch(transaction, row);
      await batch.create();
      const count = await batch.load(
        `FROM ${row.table.sql} l WHERE (${condition}) AND ($1::text IS NULL OR ${row.key} > $1::text::${key.type})
           AND ${row.key} <= $2::text::${key.type}
         ORDER BY ${row.key} LIMIT $3`,
        [at.copiedThrough, through, this.options.batchSize ?? BATCH_SIZE],
      );
      const last = count === 0 ? null : await batch.lastKey();
      const moves = new MoveStore(transaction);
      await moves.advance(last === null ? at.pass + 1 : at.pass, last);
      if (count > 0) {
        await batch.dropSettled();
        await this.writeBatch(batch, move);
      }
      return { count, last };
    });
  }

  /**
   * Brings over some of what was written since, in a transaction that calls itself a mover's. @returns 0 when all was
   * @param through id of the last note that is to be taken; all unless given
   */
  async drainIn(transaction: Transaction, row: RowSql, move: Move, through: string | null = null): Promise<number> {
    const taken = await transaction.query<{ key: string }>(
      `DELETE FROM legacy_changes WHERE id IN (
         SELECT id FROM legacy_changes WHERE $2::bigint IS NULL OR id <= $2 ORDER BY id LIMIT $1
       ) RETURNING legacy_key AS key`,
      [CHANGES_SIZE, through],
    );
    if (taken.length === 0) return 0;
    const keys = [...new Set(taken.map(({ key }) => key))];
    const batch = new Batch(transaction, row);
    await batch.create();
    await batch.load(`FROM ${row.table.sql} l WHERE ${row.key} = ANY ($1::text[]::${row.table.key.type}[])`, [keys]);
    await batch.takeBack(keys);
    await batch.dropSettled();
    await this.writeBatch(batch, move);
    await batch.drop();
    return taken.length;
  }

  private async writeBatch(batch: Batch, move: Move): Promise<void> {
    const { vectorHome } = move.settings;
    if (vectorHome !== null) {
      // Nothing is locked yet, so nobody waits for this answer.
      const { collection } = readVectorHome(vectorHome);
      await batch.refuseMissingPoints(await absentPoints(this.parts.store, collection, await batch.pointIds()));
    }
    await batch.write();
  }

  inTransaction<T>(move: Move, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.parts.database.transaction({ actor: MOVER, isBulk: true }, async (transaction) => {
      await transaction.query(`SELECT set_config('kindred.adopted_from', $1, true)`, [move.settings.vectorHome ?? '']);
      return work(transaction);
    });
  }

  /** A record that is deleted, or rendered, at the same moment makes a batch fail as a whole; it is then seen anew. */
  private async retrying<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const isPassing =
          error instanceof DomainError && (error.code === 'CONFLICT' || error.code === 'PARENT_NOT_FOUND');
        if (!isPassing || attempt >= MAX_ATTEMPTS) throw error;
        await delay(RETRY_MS * attempt);
      }
    }
  }

  private async lastKey(row: RowSql): Promise<string | null> {
    const [last] = await this.parts.database.query<{ key: string }>(
      `SELECT ${row.keyText} AS key FROM ${row.table.sql} l ORDER BY ${row.key} DESC LIMIT 1`,
    );
    return last?.key ?? null;
  }

  private async count(row: RowSql): Promise<number> {
    const [counted] = await this.parts.database.query<{ count: number }>(
      `SELECT count(*)::float8 AS count FROM ${row.table.sql}`,
    );
    return counted?.count ?? 0;
  }
}

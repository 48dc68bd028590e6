import { setTimeout as delay } from 'node:timers/promises';

import type { Database, SqlRunner } from '../db/database';
import { specOf } from '../embedding/embedding-reader';
import { DomainError } from '../errors/domain-error';
import { toGlobalId } from '../record/global-id';
import type { RecordKind } from '../record/record-spec';
import type { CollectionCatalog } from '../vector/collections';
import type { VectorStore } from '../vector/vector-store';
import { belongingsOf, countBelongings, type Belonging } from './belongings';
import { ERASURE_CHANNEL } from './erasure-channel';
import { SearchProbes, type ErasedRecords } from './search-probes';

/** Texts that a process remembers the vectors of. */
export interface TextCache {
  readonly size: number;
  clear(): void;
}

export interface ErasureParts {
  database: Database;
  store: VectorStore;
  catalog: CollectionCatalog;
  kinds: readonly RecordKind[];
  cache: TextCache;
}

/** What a record leaves in each place. */
export interface Traces {
  /** The record, what belongs to it, and their embedding rows. */
  rows: number;
  /** Entries of the ledger of points. */
  ledgerEntries: number;
  /** Events in the outbox, dead letters included. */
  events: number;
  deadLetters: number;
  /** Points in Qdrant, in every collection. */
  points: number;
  /** Query texts whose vectors this process remembers, whosever they are. */
  cachedTexts: number;
}

export interface ErasureFindings extends Traces {
  /** Hits of searches by the words that the texts had. */
  lexicalHits: number;
  /** Hits of searches by the vectors that the points had. */
  vectorHits: number;
}

export interface Erasure {
  /** What there was. */
  removed: Traces;
  /** What was looked for afterwards and found: nothing, or `erase` throws. */
  found: ErasureFindings;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

/**
 * Removes a record with everything that belongs to it and every trace that Kindred keeps of it, and then looks for it by
 * every way that leads to records.
 */
export class Eraser {
  private readonly kindByTable: Map<string, RecordKind>;
  private readonly probes: SearchProbes;

  constructor(private readonly parts: ErasureParts) {
    this.kindByTable = new Map(parts.kinds.map((kind) => [kind.table, kind]));
    this.probes = new SearchProbes(parts.database, parts.store, parts.catalog);
  }

  /**
   * @param options.timeoutMs how long to wait for the relay to have deleted the points
   * @throws NOT_FOUND
   * @throws ERASURE_INCOMPLETE the record is deleted, but something of it is still there; says what
   * @throws VECTOR_STORE_UNAVAILABLE nothing has been removed, or the wait was cut short
   */
  async erase(kind: RecordKind, id: number, options: { actor?: string; timeoutMs: number }): Promise<Erasure> {
    const { database, cache } = this.parts;
    const deadline = performance.now() + options.timeoutMs;
    const before = await this.recordsOf(database, await belongingsOf(database, kind.table, id));
    const questions = await this.probes.prepare(before);
    const points = await this.probes.countPoints(before);
    const { belongings, erased, removed } = await this.remove(kind, id, options.actor);
    await this.probes.deleteFromRetired(erased);
    const cachedTexts = cache.size;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      // Others may have asked for the same texts meanwhile.
      cache.clear();
      const left = await this.traces(belongings, erased);
      const isGone = left.rows + left.ledgerEntries + left.events + left.points === 0;
      const leftMs = deadline - performance.now();
      if (isGone || leftMs <= 0) {
        const found = { ...left, ...(await this.probes.ask(questions, erased)) };
        if (Object.values(found).some((count) => count > 0)) throw incomplete(kind, id, found, options.timeoutMs);
        return { removed: { ...removed, points, cachedTexts }, found };
      }
      await delay(Math.min(pauseMs, leftMs));
    }
  }

  /** In one transaction: the rows, what the outbox has of them, and what the ledger says of them. */
  private remove(kind: RecordKind, id: number, actor: string | undefined) {
    return this.parts.database.transaction({ actor }, async (transaction) => {
      const [row] = await transaction.query(`SELECT id FROM ${kind.table} WHERE id = $1 FOR UPDATE`, [id]);
      if (!row) {
        throw new DomainError('NOT_FOUND', `There is no ${kind.names.label} ${toGlobalId(kind.names.type, id)}.`, {
          details: { field: 'id' },
        });
      }
      const belongings = await belongingsOf(transaction, kind.table, id);
      const erased = await this.recordsOf(transaction, belongings);
      const pointIds = erased.flatMap((records) => records.pointIds);
      const removed = {
        rows: await countBelongings(transaction, belongings),
        ledgerEntries: await countLedger(transaction, erased),
        ...(await countEvents(transaction, erased)),
      };
      await transaction.query(`DELETE FROM ${kind.table} WHERE id = $1`, [id]);
      // Also those that the ledger did not know.
      await transaction.query(
        `INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT 'point', gone.kind, gone.key, 0 FROM unnest($1::text[], $2::text[]) AS gone (kind, key) ON CONFLICT DO NOTHING`,
        pointKeys(erased),
      );
      // What is left to be followed are the deletions of the points, which say no more than their ids.
      await transaction.query(
        `DELETE FROM outbox_events o USING unnest($1::text[], $2::text[]) AS gone (kind, key)
         WHERE o.topic = 'source' AND o.kind = gone.kind AND o.key = gone.key`,
        sourceKeys(erased),
      );
      await transaction.query(
        `UPDATE outbox_events SET error = NULL WHERE topic = 'point' AND key = ANY ($1::text[]) AND error IS NOT NULL`,
        [pointIds],
      );
      await transaction.query(
        `UPDATE vector_points SET payload = '{}', error = NULL, error_code = NULL WHERE point_id = ANY ($1::uuid[])`,
        [pointIds],
      );
      await transaction.query('SELECT pg_notify($1, $2)', [ERASURE_CHANNEL, kind.kind]);
      return { belongings, erased, removed };
    });
  }

  private async traces(belongings: readonly Belonging[], erased: readonly ErasedRecords[]): Promise<Traces> {
    const { database, cache } = this.parts;
    return {
      rows: await countBelongings(database, belongings),
      ledgerEntries: await countLedger(database, erased),
      ...(await countEvents(database, erased)),
      points: await this.probes.countPoints(erased),
      cachedTexts: cache.size,
    };
  }

  /** The records among the rows, by kind, with the points that the rows or the ledger name. */
  private async recordsOf(sql: SqlRunner, belongings: readonly Belonging[]): Promise<ErasedRecords[]> {
    const byKind = new Map<RecordKind, ErasedRecords>();
    for (const { table, ids } of belongings) {
      const kind = this.kindByTable.get(table);
      if (!kind?.embedding || ids.length === 0) continue;
      const rows = await sql.query<{ id: string }>(
        `SELECT qdrant_point_id AS id FROM ${specOf(kind).table} WHERE ${specOf(kind).sourceColumn} = ANY ($2::int[])
         UNION SELECT point_id FROM vector_points WHERE kind = $1 AND entity_id = ANY ($2::int[])`,
        [kind.kind, ids],
      );
      const records = byKind.get(kind) ?? { kind, ids: [], pointIds: [] };
      records.ids.push(...ids);
      records.pointIds.push(...rows.map((row) => row.id));
      byKind.set(kind, records);
    }
    return [...byKind.values()];
  }
}

/** Kind and key of every record, as one array each. */
function sourceKeys(erased: readonly ErasedRecords[]): [kinds: string[], keys: string[]] {
  return [erased.flatMap(({ kind, ids }) => ids.map(() => kind.kind)), erased.flatMap(({ ids }) => ids.map(String))];
}

/** The same of every point. */
function pointKeys(erased: readonly ErasedRecords[]): [kinds: string[], keys: string[]] {
  return [
    erased.flatMap(({ kind, pointIds }) => pointIds.map(() => kind.kind)),
    erased.flatMap(({ pointIds }) => pointIds),
  ];
}

async function countLedger(sql: SqlRunner, erased: readonly ErasedRecords[]): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM (
       SELECT point_id FROM vector_points WHERE point_id = ANY ($3::uuid[])
       UNION
       SELECT p.point_id FROM unnest($1::text[], $2::int[]) AS gone (kind, id)
       JOIN vector_points p ON p.kind = gone.kind AND p.entity_id = gone.id
     ) entries`,
    [...sourceKeys(erased), erased.flatMap((records) => records.pointIds)],
  );
  return row?.count ?? 0;
}

async function countEvents(
  sql: SqlRunner,
  erased: readonly ErasedRecords[],
): Promise<Pick<Traces, 'events' | 'deadLetters'>> {
  const [row] = await sql.query<Pick<Traces, 'events' | 'deadLetters'>>(
    `SELECT count(*)::int AS events, count(*) FILTER (WHERE dead_at IS NOT NULL)::int AS "deadLetters" FROM (
       SELECT o.dead_at FROM unnest($1::text[], $2::text[]) AS gone (kind, key)
       JOIN outbox_events o ON o.kind = gone.kind AND o.key = gone.key AND o.topic = 'source'
       UNION ALL
       SELECT o.dead_at FROM unnest($3::text[], $4::text[]) AS gone (kind, key)
       JOIN outbox_events o ON o.kind = gone.kind AND o.key = gone.key AND o.topic = 'point'
     ) events`,
    [...sourceKeys(erased), ...pointKeys(erased)],
  );
  return row ?? { events: 0, deadLetters: 0 };
}

function incomplete(kind: RecordKind, id: number, found: ErasureFindings, timeoutMs: number): DomainError {
  const left = Object.entries(found).filter(([, count]) => count > 0);
  const list = left.map(([name, count]) => `${name} ${count}`).join(', ');
  return new DomainError(
    'ERASURE_INCOMPLETE',
    `The ${kind.names.label} ${toGlobalId(kind.names.type, id)} is deleted, but after ${timeoutMs} ms something of it was ` +
      `still there: ${list}. The deletions of its points are queued: see that a relay runs. Once nothing waits ` +
      `('kindred status'), 'kindred consistency repair' removes what may be left.`,
    { details: { found: Object.fromEntries(left), timeoutMs } },
  );
}

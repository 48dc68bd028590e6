import { setTimeout as delay } from 'node:timers/promises';

import type { Database } from '../db/database';
import { DomainError } from '../errors/domain-error';
import { toGlobalId } from '../record/global-id';
import type { RecordKind } from '../record/record-spec';
import type { CollectionCatalog } from '../vector/collections';
import type { VectorStore } from '../vector/vector-store';
import { belongingsOf } from './belongings';
import { ErasureLedger, type BegunErasure } from './erasure-ledger';
import { Removal } from './erasure-removal';
import { countStored, recordsAmong, type StoredTraces } from './erasure-traces';
import { SearchProbes, type ProbeQuestions } from './search-probes';

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
export interface Traces extends StoredTraces {
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
  private readonly probes: SearchProbes;
  private readonly ledger: ErasureLedger;
  private readonly removal: Removal;

  constructor(private readonly parts: ErasureParts) {
    const { database, store, catalog, kinds } = parts;
    this.probes = new SearchProbes(database, store, catalog);
    this.ledger = new ErasureLedger(database, kinds);
    this.removal = new Removal(database, kinds, this.ledger);
  }

  /**
   * One that did not come to its end, because its time was up or its process died, is gone on with by asking again.
   * @param options.timeoutMs how long to wait for the relay to have deleted the points
   * @throws NOT_FOUND there is no such record, nor an erasure of it to go on with
   * @throws CONFLICT others hold the record or what belongs to it; nothing has been removed
   * @throws ERASURE_INCOMPLETE the record is deleted, but something of it is still there; says what
   * @throws VECTOR_STORE_UNAVAILABLE nothing has been removed, or the wait was cut short
   */
  async erase(kind: RecordKind, id: number, options: { actor?: string; timeoutMs: number }): Promise<Erasure> {
    const deadline = performance.now() + options.timeoutMs;
    const { begun, questions } = (await this.begin(kind, id, options)) ?? (await this.goOn(kind, id));
    const { belongings, erased, removed } = begun;
    const { database, cache } = this.parts;
    const cachedTexts = cache.size;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
      // Others may have asked for the same texts meanwhile.
      cache.clear();
      // Each time, because collections may be given up meanwhile, and a request to them may come late.
      await this.probes.deleteFromRetired(erased);
      const left: Traces = {
        ...(await countStored(database, belongings, erased)),
        points: await this.probes.countPoints(erased),
        cachedTexts: cache.size,
      };
      const isGone = left.rows + left.ledgerEntries + left.events + left.points === 0;
      const leftMs = deadline - performance.now();
      if (isGone || leftMs <= 0) {
        const found = { ...left, ...(await this.probes.ask(questions, erased)) };
        if (Object.values(found).some((count) => count > 0)) throw incomplete(kind, id, found, options.timeoutMs);
        await this.ledger.finish(kind, id);
        return { removed: { ...removed, cachedTexts }, found };
      }
      await delay(Math.min(pauseMs, leftMs));
    }
  }

  /** Global ids of the records whose erasure has begun and has not been seen to its end. */
  async unfinished(): Promise<string[]> {
    const typeOf = new Map(this.parts.kinds.map(({ kind, names }) => [kind, names.type]));
    const records = await this.ledger.unfinished();
    return records.map(({ kind, recordId }) => toGlobalId(typeOf.get(kind) ?? kind, recordId));
  }

  /** Deletes the record. @returns undefined when there is none */
  private async begin(
    kind: RecordKind,
    id: number,
    { actor, timeoutMs }: { actor?: string; timeoutMs: number },
  ): Promise<{ begun: BegunErasure; questions: ProbeQuestions[] } | undefined> {
    const { database, kinds } = this.parts;
    const before = await recordsAmong(database, kinds, await belongingsOf(database, kind.table, id));
    const questions = await this.probes.prepare(before);
    const points = await this.probes.countPoints(before);
    const begun = await this.removal.run(kind, id, { actor, waitMs: timeoutMs, points });
    return begun && { begun, questions };
  }

  /** Of the texts nothing is left to ask by; the points that are still there say what they are found by. */
  private async goOn(kind: RecordKind, id: number): Promise<{ begun: BegunErasure; questions: ProbeQuestions[] }> {
    const begun = await this.ledger.find(kind, id);
    if (!begun) {
      throw new DomainError('NOT_FOUND', `There is no ${kind.names.label} ${toGlobalId(kind.names.type, id)}.`, {
        details: { field: 'id' },
      });
    }
    const questions = await this.probes.prepareFromPoints(begun.erased);
    await this.ledger.requeue(begun.erased, (await this.probes.countPoints(begun.erased)) > 0);
    return { begun, questions };
  }
}

function incomplete(kind: RecordKind, id: number, found: ErasureFindings, timeoutMs: number): DomainError {
  const left = Object.entries(found).filter(([, count]) => count > 0);
  const list = left.map(([name, count]) => `${name} ${count}`).join(', ');
  return new DomainError(
    'ERASURE_INCOMPLETE',
    `The ${kind.names.label} ${toGlobalId(kind.names.type, id)} is deleted, but after ${timeoutMs} ms something of it was ` +
      `still there: ${list}. The deletions of its points are queued: see that a relay runs, and ask again with the same id.`,
    { retryable: true, details: { found: Object.fromEntries(left), timeoutMs } },
  );
}

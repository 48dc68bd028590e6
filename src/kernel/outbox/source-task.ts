import type { Database, Transaction } from '../db/database';
import { isLockNotAvailable } from '../db/database-errors';
import { DomainError } from '../errors/domain-error';
import { setAdoptedApart } from '../embedding/adoption';
import { RowDiff, type RowChanges } from '../embedding/diff';
import { specOf } from '../embedding/embedding-reader';
import { renderChunks, type RenderedChunk } from '../embedding/rendering';
import type { ChunkWindow } from '../model/chunk-window';
import { inTurns } from '../process/turns';
import type { RecordKind } from '../record/record-spec';
import { recordPayload } from '../vector/record-payload';
import type { Payload } from '../vector/vector-store';
import { EmbeddingRows } from './embedding-rows';
import { outageOf } from './failure-policy';
import type { Claim, ClaimedKey } from './outbox-store';
import { OwnedRecords } from './owned-records';
import type { Lease } from './lease';
import type { Outcomes, StepHook } from './relay-step';
import { SourceLoader, type LoadedSource } from './source-loader';

export interface SourceTaskParts {
  database: Database;
  /** Those with embeddings. */
  kinds: readonly RecordKind[];
  /** Every kind: owners need not have embeddings. */
  allKinds: readonly RecordKind[];
  /** What chunks of each kind have to fit into; asked anew for each batch. */
  window: () => Promise<ChunkWindow>;
  onStep?: StepHook;
}

const ACTOR = 'kindred-relay';
/** Below PostgreSQL's deadlock timeout of a second, so that in a deadlock the relay gives way and never the writer. */
const LOCK_TIMEOUT = '500ms';

/** What a batch of keys is done under. */
interface Batch {
  lease: Lease;
  kind: RecordKind;
}

interface Rendered {
  loaded: LoadedSource;
  chunks: RenderedChunk[];
  payload: Payload;
}

/**
 * Brings the embedding rows of records, and the payload of their points, to what the records say now. Everything about
 * a batch happens in one transaction, its acknowledgement included, so it is done exactly once.
 */
export class SourceTask {
  private readonly loader: SourceLoader;
  private readonly owned: OwnedRecords;
  private readonly kinds: Map<string, RecordKind>;

  constructor(private readonly parts: SourceTaskParts) {
    this.loader = new SourceLoader(parts.allKinds);
    this.owned = new OwnedRecords(parts.kinds);
    this.kinds = new Map(parts.kinds.map((kind) => [kind.kind, kind]));
  }

  /**
   * Keys that come out `done` have been acknowledged.
   * @throws OutageError the database does not answer
   * @throws the signal's reason; nothing of the batch under way is written
   */
  async run(lease: Lease): Promise<Outcomes> {
    const byKind = new Map<string, ClaimedKey[]>();
    for (const key of lease.claim.keys) byKind.set(key.kind, [...(byKind.get(key.kind) ?? []), key]);
    const outcomes: Outcomes = new Map();
    for (const [name, keys] of byKind) {
      const kind = this.kinds.get(name);
      if (kind) await this.runBatch({ lease, kind }, keys, outcomes);
    }
    return outcomes;
  }

  private async runBatch(batch: Batch, keys: readonly ClaimedKey[], outcomes: Outcomes): Promise<void> {
    const { lease } = batch;
    try {
      const window = await this.parts.window();
      const { isBulk } = lease.claim;
      const done = await this.parts.database.transaction({ actor: ACTOR, isBulk }, (transaction) =>
        this.bringUpToDate(transaction, batch, keys, window),
      );
      for (const [key, outcome] of done) outcomes.set(key, outcome);
    } catch (error) {
      lease.signal.throwIfAborted();
      const outage = outageOf(error);
      if (outage) throw outage;
      if (isInterrupted(error)) {
        for (const key of keys) outcomes.set(key, { result: 'busy' });
      } else if (keys.length === 1) {
        outcomes.set(keys[0] as ClaimedKey, { result: 'failed', error });
      } else {
        // One of them is at fault; alone, the others succeed.
        for (const key of keys) await this.runBatch(batch, [key], outcomes);
      }
    }
  }

  private async bringUpToDate(
    transaction: Transaction,
    { lease, kind }: Batch,
    keys: readonly ClaimedKey[],
    window: ChunkWindow,
  ): Promise<Outcomes> {
    const outcomes: Outcomes = new Map();
    const lockedIds = await this.lock(transaction, kind, keys);
    const { sources, busyIds } = await this.loader.load(transaction, kind, [...lockedIds]);
    const byId = new Map(sources.map((loaded) => [loaded.source.record.id, loaded]));
    const busy = new Set(busyIds);
    const rendered: Rendered[] = [];
    for (const key of keys) {
      const id = Number(key.key);
      const loaded = byId.get(id);
      if (!lockedIds.has(id) || busy.has(id)) outcomes.set(key, { result: 'busy' });
      else if (!loaded)
        outcomes.set(key, { result: 'done' }); // Deleted; its points follow by cascade.
      else {
        try {
          rendered.push(await this.render(kind, loaded, window, lease.signal));
          outcomes.set(key, { result: 'done' });
        } catch (error) {
          lease.signal.throwIfAborted();
          outcomes.set(key, { result: 'failed', error });
        }
      }
    }
    await this.parts.onStep?.('rendered', { topic: 'source', keys: rendered.length });
    await this.write(transaction, lease.claim, kind, rendered);
    const done = keys.filter((key) => outcomes.get(key)?.result === 'done');
    await this.parts.onStep?.('acking', { topic: 'source', keys: done.length });
    await lease.acknowledge(transaction, done);
    return outcomes;
  }

  /** Two workers may hold different events of one record; one of them waits its turn. */
  private async lock(transaction: Transaction, kind: RecordKind, keys: readonly ClaimedKey[]): Promise<Set<number>> {
    await transaction.query(`SELECT set_config('lock_timeout', $1, true)`, [LOCK_TIMEOUT]);
    const rows = await transaction.query<{ id: number }>(
      `SELECT id FROM unnest($2::int[]) AS wanted (id) WHERE pg_try_advisory_xact_lock(hashtext('source ' || $1), id)`,
      [kind.kind, keys.map((key) => Number(key.key))],
      'source_lock',
    );
    return new Set(rows.map((row) => row.id));
  }

  /** In turns: leases are to be renewed, and requests answered, while a text of megabytes is cut. */
  private async render(
    kind: RecordKind,
    loaded: LoadedSource,
    window: ChunkWindow,
    signal: AbortSignal,
  ): Promise<Rendered> {
    return {
      loaded,
      chunks: await inTurns(renderChunks(specOf(kind), loaded.source, window.maxTokens(kind.kind), window.counter), {
        signal,
      }),
      payload: recordPayload(kind, loaded.source, loaded.isArchived),
    };
  }

  private async write(
    transaction: Transaction,
    claim: Claim,
    kind: RecordKind,
    rendered: readonly Rendered[],
  ): Promise<void> {
    if (rendered.length === 0) return;
    const rows = new EmbeddingRows(transaction);
    const ids = rendered.map(({ loaded }) => loaded.source.record.id);
    const existing = await rows.existing(kind, ids);
    const unheld = rendered.map(({ chunks }, i) => setAdoptedApart(existing.get(ids[i] as number) ?? [], chunks));
    await rows.noteFirstSeen(unheld.flatMap(({ firstSeen }) => firstSeen));
    await rows.endAdoption(
      kind,
      unheld.flatMap(({ outdated }) => outdated),
    );
    const diffs = unheld.map((own) => new RowDiff(own.rows, own.chunks));
    // Where a row is a record of its own, what people said of its text must not pass to another text.
    const texts = specOf(kind).rowAs
      ? await rows.texts(
          kind,
          diffs.flatMap((diff) => diff.contestedIds),
        )
      : undefined;
    const changed = diffs.map((diff, i) => ({ sourceId: ids[i] as number, changes: diff.changes(texts) }));
    const payloads = new Map(rendered.map(({ payload }, i) => [ids[i] as number, payload]));
    if (changed.some(({ changes }) => isAnyChange(changes))) {
      await rows.announcePayloads(payloads);
      await rows.apply(kind, changed);
    }
    await rows.setPayloads(kind, payloads);
    await this.owned.enqueueStale(transaction, kind, ids, claim.owner);
  }
}

function isAnyChange({ inserted, rewritten, moved, deleted }: RowChanges): boolean {
  return inserted.length + rewritten.length + moved.length + deleted.length > 0;
}

function isInterrupted(error: unknown): boolean {
  // A unique value that was taken in between is a row that somebody else wrote just now, and what a row refers to and is
  // not there any more somebody deleted just now: either is seen next time.
  if (error instanceof DomainError) return error.code === 'CONFLICT' || error.code === 'PARENT_NOT_FOUND';
  return isLockNotAvailable(error);
}

import type { Database, SqlRunner } from '../db/database';
import { setAdoptedApart } from '../embedding/adoption';
import { RowDiff, type ExistingRow } from '../embedding/diff';
import { specOf } from '../embedding/embedding-reader';
import { renderChunks } from '../embedding/rendering';
import type { ChunkWindow } from '../model/chunk-window';
import { EmbeddingRows } from '../outbox/embedding-rows';
import { SourceLoader, type LoadedSource } from '../outbox/source-loader';
import { toGlobalId } from '../record/global-id';
import { inTurns } from '../process/turns';
import type { RecordKind } from '../record/record-spec';
import { recordPayload } from '../vector/record-payload';
import type { BatchSizes } from './batch-sizes';
import type { Drift } from './consistency-report';
import { readAhead } from './read-ahead';

/** What is wrong with the rows of one record. */
interface RecordDrift {
  id: number;
  missingRows: number;
  staleRows: number;
  /** Points whose payload is not what the record says. */
  stalePayload: number;
}

export interface FoundRecordDrift {
  recordIds: number[];
  drifts: Drift[];
}

/** Records, with their embedding rows and with how many of their points have another payload. */
interface Page {
  sources: readonly LoadedSource[];
  existing: ReadonlyMap<number, readonly ExistingRow[]>;
  stalePayloads: ReadonlyMap<number, number>;
}

/**
 * Compares the records of a kind with their embedding rows: renders each again, as the relay would, and asks what the
 * relay would change. Reads a page at a time, so memory does not grow with the tables. What looks wrong is looked at once
 * more in one snapshot: a record and its event are written together, and so are its rows and the event's end.
 */
export class RecordCheck {
  private readonly loader: SourceLoader;

  /**
   * @param kinds every kind: owners need not have embeddings
   * @param window that the relay cuts chunks to
   */
  constructor(
    private readonly database: Database,
    private readonly kinds: readonly RecordKind[],
    private readonly window: () => Promise<ChunkWindow>,
    private readonly batchSizes: BatchSizes,
  ) {
    this.loader = new SourceLoader(kinds);
  }

  /** @throws ModelUnavailableError what counts tokens is not there */
  async run(kind: RecordKind, onDrifts: (found: FoundRecordDrift) => Promise<void>): Promise<void> {
    const window = await this.window();
    for await (const page of readAhead(this.pages(kind))) {
      const suspects = await this.compare(kind, page, window);
      const ids = suspects.map(({ id }) => id);
      const found = await this.recheck(kind, ids, window);
      if (found.length > 0) {
        await onDrifts({ recordIds: found.map(({ id }) => id), drifts: found.flatMap((one) => driftsOf(kind, one)) });
      }
    }
  }

  /**
   * Every record of a kind in order of id, a page at a time, each with what it is compared with. Those that come while it
   * goes on are left to the next check, or busy writers would keep it from its end.
   */
  private async *pages(kind: RecordKind): AsyncGenerator<Page> {
    const { records: limit, textBytes: bytes } = this.batchSizes;
    const lastId = await this.lastId(kind);
    for (let afterId = 0; afterId < lastId;) {
      const sources = await this.loader.readPage(this.database, kind, { afterId, lastId, limit, bytes });
      if (sources.length === 0) return;
      yield this.withRows(this.database, kind, sources);
      afterId = sources.at(-1)?.source.record.id ?? lastId;
    }
  }

  private async lastId(kind: RecordKind): Promise<number> {
    const [row] = await this.database.query<{ id: number | null }>(`SELECT max(id) AS id FROM ${kind.table}`);
    return row?.id ?? 0;
  }

  private async recheck(kind: RecordKind, ids: readonly number[], window: ChunkWindow): Promise<RecordDrift[]> {
    if (ids.length === 0) return [];
    return this.database.transaction({ isSnapshot: true }, async (snapshot) => {
      const waiting = await this.waiting(snapshot, kind, ids);
      const sources = await this.loader.read(
        snapshot,
        kind,
        ids.filter((id) => !waiting.has(id)),
      );
      return this.compare(kind, await this.withRows(snapshot, kind, sources), window);
    });
  }

  /**
   * Records with an event, be it a dead one, and those whose owner is yet to be looked at: they are reported as pending or
   * dead, if at all.
   */
  private async waiting(sql: SqlRunner, kind: RecordKind, ids: readonly number[]): Promise<Set<number>> {
    const owner = kind.attributes.find(({ property }) => property === kind.owner);
    const hasEvent = (kindName: string, column: string): string =>
      `EXISTS (SELECT 1 FROM outbox_events e
         WHERE e.kind = '${kindName}' AND e.key = t.${column}::text AND e.topic = 'source')`;
    const conditions = [
      hasEvent(kind.kind, 'id'),
      ...(owner?.reference ? [hasEvent(owner.reference.kind, owner.column)] : []),
    ];
    const rows = await sql.query<{ id: number }>(
      `SELECT t.id FROM ${kind.table} t WHERE t.id = ANY ($1::int[]) AND (${conditions.join(' OR ')})`,
      [ids],
    );
    return new Set(rows.map((row) => row.id));
  }

  private async withRows(sql: SqlRunner, kind: RecordKind, sources: readonly LoadedSource[]): Promise<Page> {
    if (sources.length === 0) return { sources, existing: new Map(), stalePayloads: new Map() };
    const rows = new EmbeddingRows(sql);
    const existing = await rows.existing(
      kind,
      sources.map(({ source }) => source.record.id),
    );
    const stalePayloads = await rows.countStalePayloads(
      kind,
      new Map(
        sources.map(({ source, isArchived }) => [source.record.id, recordPayload(kind, source, isArchived)] as const),
      ),
    );
    return { sources, existing, stalePayloads };
  }

  /** What the relay would change about these records' rows; nothing for those that are as they should be. */
  private async compare(
    kind: RecordKind,
    { sources, existing, stalePayloads }: Page,
    window: ChunkWindow,
  ): Promise<RecordDrift[]> {
    const drifts: RecordDrift[] = [];
    for (const loaded of sources) {
      const { id } = loaded.source.record;
      const stalePayload = stalePayloads.get(id) ?? 0;
      const rowDrift = await this.rowDrift(kind, loaded, existing.get(id) ?? [], window);
      if (stalePayload + rowDrift.missingRows + rowDrift.staleRows > 0) drifts.push({ id, ...rowDrift, stalePayload });
    }
    return drifts;
  }

  private async rowDrift(
    kind: RecordKind,
    { source }: LoadedSource,
    existing: readonly ExistingRow[],
    window: ChunkWindow,
  ): Promise<Pick<RecordDrift, 'missingRows' | 'staleRows'>> {
    let chunks;
    try {
      chunks = await inTurns(renderChunks(specOf(kind), source, window.maxTokens(kind.kind), window.counter));
    } catch {
      // The relay cannot render it either: rendered again, it becomes a dead letter that says why.
      return { missingRows: 1, staleRows: 0 };
    }
    const own = setAdoptedApart(existing, chunks);
    const { inserted, rewritten, moved, deleted } = new RowDiff(own.rows, own.chunks).changes();
    return { missingRows: inserted.length, staleRows: rewritten.length + moved.length + deleted.length };
  }
}

function driftsOf(kind: RecordKind, { id, ...counts }: RecordDrift): Drift[] {
  const about = {
    kind: kind.kind,
    remedy: 'render',
    pointId: null,
    recordId: toGlobalId(kind.names.type, id),
  } as const;
  return (['missingRows', 'staleRows', 'stalePayload'] as const)
    .filter((drift) => counts[drift] > 0)
    .map((drift) => ({ ...about, drift, count: counts[drift] }));
}

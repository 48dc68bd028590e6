import type { ImportFile } from './import-files';
import { readImportFile } from './import-reader';
import type { ImportItem, ImportRecordType, Reject, StoryOptions } from './import-records';
import type { ImportWriter } from './import-writer';
import type { RejectsFile } from './rejects-file';
import { byParentsFirst, toWriteItem } from './write-item';

export interface ImportCounts {
  created: number;
  updated: number;
  unchanged: number;
  rejected: number;
}

export interface ImportSummary {
  byType: Partial<Record<ImportRecordType, ImportCounts>>;
  rejected: number;
  skipped: { file: string; reason: string }[];
  /** Whether the user stopped it before the end; what was written stays. */
  isInterrupted: boolean;
  /** Changes given up while they were waited for; absent when nobody waited. */
  failed?: number;
}

export interface ImportRun {
  files: readonly ImportFile[];
  writer: ImportWriter;
  rejects: RejectsFile;
  stories?: StoryOptions;
  /** Bytes read so far. */
  onProgress?: (doneBytes: number) => void;
  onReject?: (reject: Reject) => void;
  signal?: AbortSignal;
}

type FoundRecord = Extract<ImportItem, { kind: 'record' }>;
type FoundTag = Extract<FoundRecord, { type: 'tag' }>;

/** Records written in one transaction. */
const BATCH_SIZE = 50;

/**
 * Imports files one after another, in batches that each are a transaction: stopped at any moment, what was written is
 * whole, and running again goes on from there because what is there already stays as it is.
 */
export async function runImport(run: ImportRun): Promise<ImportSummary> {
  const summary: ImportSummary = { byType: {}, rejected: 0, skipped: [], isInterrupted: false };
  let doneBytes = 0;
  for (const file of run.files) {
    await importFile(file, run, summary, doneBytes);
    if (run.signal?.aborted) {
      summary.isInterrupted = true;
      break;
    }
    doneBytes += file.sizeBytes;
    run.onProgress?.(doneBytes);
  }
  await run.rejects.close();
  return summary;
}

async function importFile(
  file: ImportFile,
  run: ImportRun,
  summary: ImportSummary,
  bytesBefore: number,
): Promise<void> {
  let batch: FoundRecord[] = [];
  const tags: FoundTag[] = [];
  for await (const item of readImportFile(file)) {
    if (run.signal?.aborted) return;
    run.onProgress?.(bytesBefore + item.offset);
    if (item.kind === 'reject') {
      await reject(item.reject, run, summary);
    } else if (item.kind === 'skipped') {
      summary.skipped.push({ file: item.file, reason: item.reason });
    } else if (item.type === 'tag') {
      // A parent may stand anywhere in the file.
      tags.push(item);
    } else {
      batch.push(item);
      if (batch.length >= BATCH_SIZE) {
        await writeBatch(batch, run, summary);
        batch = [];
      }
    }
  }
  await writeBatch(batch, run, summary);
  for (const layer of byParentsFirst(tags)) {
    for (let i = 0; i < layer.length && !run.signal?.aborted; i += BATCH_SIZE) {
      await writeBatch(layer.slice(i, i + BATCH_SIZE), run, summary);
    }
  }
}

async function writeBatch(batch: readonly FoundRecord[], run: ImportRun, summary: ImportSummary): Promise<void> {
  const byType = new Map<ImportRecordType, FoundRecord[]>();
  for (const found of batch) byType.set(found.type, [...(byType.get(found.type) ?? []), found]);
  for (const [type, records] of byType) {
    const counts = (summary.byType[type] ??= { created: 0, updated: 0, unchanged: 0, rejected: 0 });
    const outcomes = await run.writer.write(records.map((found) => toWriteItem(found, run.stories)));
    for (const [i, result] of outcomes.entries()) {
      counts[result.outcome] += 1;
      if (result.outcome !== 'rejected') continue;
      const { file, line, raw } = records[i] as FoundRecord;
      await reject({ file, line, reason: result.reason, raw }, run, summary);
    }
  }
}

async function reject(found: Reject, run: ImportRun, summary: ImportSummary): Promise<void> {
  summary.rejected += 1;
  run.onReject?.(found);
  await run.rejects.add(found);
}

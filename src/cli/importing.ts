import type { FoundFiles } from '../import/import-files';
import type { StoryOptions } from '../import/import-records';
import { ImportWriter } from '../import/import-writer';
import { RejectsFile } from '../import/rejects-file';
import { runImport, type ImportSummary } from '../import/run-import';
import { onTermination } from '../kernel/process/termination';
import { EXIT_FAILURE, InterruptedError } from './exit-codes';
import { waitUntilIndexed } from './indexing-progress';
import { startProgress } from './progress';
import type { Session } from './session';

export interface ImportingOptions {
  wait?: boolean;
  rejects: string;
  json?: boolean;
}

export const DEFAULT_REJECTS = 'kindred-rejects.jsonl';
const SHOWN_REJECTS = 5;

/** Imports files with progress and prints what came of it. */
export async function importAndReport(
  found: FoundFiles,
  options: ImportingOptions,
  session: Session,
  outcome: { code: number },
  stories?: StoryOptions,
): Promise<void> {
  const summary = await importFiles(found, options, session, stories);
  if (options.json) console.log(JSON.stringify(summary));
  else printSummary(summary, options.rejects);
  if (summary.isInterrupted) throw new InterruptedError();
  if (summary.rejected + (summary.failed ?? 0) > 0) outcome.code = EXIT_FAILURE;
}

async function importFiles(
  { files, skipped }: FoundFiles,
  options: ImportingOptions,
  session: Session,
  stories?: StoryOptions,
): Promise<ImportSummary> {
  const { core, stores } = session.instance;
  const stopping = new AbortController();
  const release = onTermination(() => stopping.abort());
  const relay = options.wait && stores.origin !== 'attached' ? core.createRelay() : undefined;
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const progress = startProgress('Importing', 'bytes');
  try {
    const countFailed = await core.services.deadLetters.watch();
    // Embedding begins with the first batch, not after the last.
    relay?.start();
    let shown = 0;
    const summary = await runImport({
      files,
      writer: new ImportWriter(core.database, core.registry),
      rejects: new RejectsFile(options.rejects),
      stories,
      onProgress: (doneBytes) => progress.update(doneBytes, totalBytes),
      onReject: ({ file, line, reason }) => {
        shown += 1;
        if (shown <= SHOWN_REJECTS) process.stderr.write(`${file}:${line}: ${reason}\n`);
      },
      signal: stopping.signal,
    });
    progress.stop();
    summary.skipped.unshift(...skipped);
    if (options.wait && !summary.isInterrupted) {
      await waitUntilIndexed(core, { label: 'Embedding', signal: stopping.signal, relay });
      summary.isInterrupted = stopping.signal.aborted;
      summary.failed = await countFailed();
    }
    return summary;
  } finally {
    progress.stop();
    await relay?.stop();
    release();
  }
}

function printSummary(summary: ImportSummary, rejectsFile: string): void {
  for (const [type, counts] of Object.entries(summary.byType)) {
    const { created, updated, unchanged, rejected } = counts;
    console.log(
      `${type.padEnd(8)} ${created} created, ${updated} updated, ${unchanged} unchanged, ${rejected} rejected`,
    );
  }
  for (const { file, reason } of summary.skipped) console.log(`skipped  ${file}: ${reason}`);
  if (summary.rejected > 0) console.log(`${summary.rejected} rejected, kept with their reasons in ${rejectsFile}`);
  const failed = summary.failed ?? 0;
  if (failed > 0) console.log(`${failed} could not be embedded; 'kindred dead-letters list' says why`);
}

import { InvalidArgumentError, type Command } from 'commander';

import { findImportFiles, importKinds, type ImportKind } from '../import/import-files';
import { ImportWriter } from '../import/import-writer';
import { RejectsFile } from '../import/rejects-file';
import { runImport, type ImportSummary } from '../import/run-import';
import { onTermination } from '../kernel/process/termination';
import { EXIT_FAILURE, InterruptedError } from './exit-codes';
import { waitUntilIndexed } from './indexing-progress';
import { startProgress } from './progress';
import { withSession, type Session } from './session';

interface ImportOptions {
  as?: ImportKind;
  wait?: boolean;
  rejects: string;
  json?: boolean;
}

const SHOWN_REJECTS = 5;
const DEFAULT_REJECTS = 'kindred-rejects.jsonl';

function importKind(value: string): ImportKind {
  const kind = importKinds.find((candidate) => candidate === value);
  if (!kind) throw new InvalidArgumentError(`One of ${importKinds.join(', ')}.`);
  return kind;
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
}

async function importPaths(paths: string[], options: ImportOptions, session: Session): Promise<ImportSummary> {
  const { core, stores } = session.instance;
  const { files, skipped } = await findImportFiles(paths, options.as);
  const stopping = new AbortController();
  const release = onTermination(() => stopping.abort());
  const relay = options.wait && stores.origin !== 'attached' ? core.createRelay() : undefined;
  const totalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const progress = startProgress('Importing', 'bytes');
  try {
    // Embedding begins with the first batch, not after the last.
    relay?.start();
    let shown = 0;
    const summary = await runImport({
      files,
      writer: new ImportWriter(core.database, core.registry),
      rejects: new RejectsFile(options.rejects),
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
      await waitUntilIndexed(core, { label: 'Embedding', signal: stopping.signal });
      summary.isInterrupted = stopping.signal.aborted;
    }
    return summary;
  } finally {
    progress.stop();
    await relay?.stop();
    release();
  }
}

export function addImportCommand(program: Command, outcome: { code: number }): void {
  program
    .command('import')
    .description(
      'Import files and folders: JSONL, JSON Resume, CSV jobs, Markdown and text stories. Importing twice changes nothing.',
    )
    .argument('<path...>')
    .option('--as <what>', `what the files hold: ${importKinds.join(', ')}`, importKind)
    .option('--wait', 'return once everything is embedded')
    .option('--rejects <file>', 'where records go that could not be imported', DEFAULT_REJECTS)
    .option('--json', 'print a machine-readable summary')
    .action((paths: string[], options: ImportOptions) =>
      withSession('kindred import', async (session) => {
        const summary = await importPaths(paths, options, session);
        if (options.json) console.log(JSON.stringify(summary));
        else printSummary(summary, options.rejects);
        if (summary.isInterrupted) throw new InterruptedError();
        if (summary.rejected > 0) outcome.code = EXIT_FAILURE;
      }),
    );
}

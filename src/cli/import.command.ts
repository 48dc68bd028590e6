import { InvalidArgumentError, type Command } from 'commander';

import { findImportFiles, importKinds, type ImportKind } from '../import/import-files';
import { DEFAULT_REJECTS, importAndReport, type ImportingOptions } from './importing';
import { withSession } from './session';

interface ImportOptions extends ImportingOptions {
  as?: ImportKind;
}

function importKind(value: string): ImportKind {
  const kind = importKinds.find((candidate) => candidate === value);
  if (!kind) throw new InvalidArgumentError(`One of ${importKinds.join(', ')}.`);
  return kind;
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
        await importAndReport(await findImportFiles(paths, options.as), options, session, outcome);
      }),
    );
}

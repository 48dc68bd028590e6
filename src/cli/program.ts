import { readFileSync } from 'node:fs';
import path from 'node:path';

import { Command, CommanderError } from 'commander';

import { DomainError } from '../kernel/errors/domain-error';
import { addConsistencyCommand } from './consistency.command';
import { addDeadLettersCommand } from './dead-letters.command';
import { addDemoCommand } from './demo.command';
import { addEraseCommand } from './erase.command';
import { EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_USAGE, InterruptedError } from './exit-codes';
import { addImportCommand } from './import.command';
import { addLegacyCommand } from './legacy.command';
import { addMigrateCommand } from './migrate.command';
import { addModelsCommand } from './models.command';
import { addPurgeCommand } from './purge.command';
import { addReindexCommand } from './reindex.command';
import { addSchemaCommand } from './schema.command';
import { addServeCommand } from './serve.command';
import { addStatusCommand } from './status.command';
import { addStoriesCommand } from './stories.command';
import { addTagsCommand } from './tags.command';
import { addVectorServerCommand } from './vector-server.command';
import { addWorkerCommand } from './worker.command';

function version(): string {
  const file = path.resolve(__dirname, '..', '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Runs one command line. @returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted */
export async function runCli(argv: readonly string[]): Promise<number> {
  const outcome = { code: 0 };
  const program = new Command('kindred')
    .description('A GraphQL API over PostgreSQL and Qdrant that keeps records and their embeddings together.')
    .version(version())
    .exitOverride()
    .showHelpAfterError();
  addServeCommand(program, outcome);
  addWorkerCommand(program);
  addMigrateCommand(program);
  addImportCommand(program, outcome);
  addStoriesCommand(program, outcome);
  addDemoCommand(program);
  addReindexCommand(program);
  addModelsCommand(program);
  addStatusCommand(program);
  addConsistencyCommand(program, outcome);
  addDeadLettersCommand(program);
  addLegacyCommand(program, outcome);
  addPurgeCommand(program);
  addEraseCommand(program);
  addSchemaCommand(program);
  addTagsCommand(program, outcome);
  addVectorServerCommand(program);
  try {
    await program.parseAsync(argv);
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    if (error instanceof InterruptedError) return EXIT_INTERRUPTED;
    console.error(messageOf(error));
    return EXIT_FAILURE;
  }
}

/** One readable message for what the program knows; the whole error for what it does not. */
function messageOf(error: unknown): unknown {
  return error instanceof DomainError ? `kindred: ${error.message}` : error;
}

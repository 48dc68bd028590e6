import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { CommanderError, InvalidArgumentError, Option, type Command } from 'commander';

import { StoryChunking, type ChunkingProgress, type ChunkingSettings } from '../features/story/story-chunking';
import { chunkContextChoices, chunkingStrategyChoices, type ChunkContext } from '../features/story/story.entity';
import { findImportFiles, type FoundFiles } from '../import/import-files';
import type { ChunkingStrategy } from '../kernel/chunking/chunking-plan';
import { DomainError } from '../kernel/errors/domain-error';
import { onTermination } from '../kernel/process/termination';
import { EXIT_FAILURE, EXIT_USAGE, InterruptedError } from './exit-codes';
import { DEFAULT_REJECTS, importAndReport, type ImportingOptions } from './importing';
import { startProgress } from './progress';
import { withSession, type Session } from './session';

interface ChunkingOptions {
  strategy?: ChunkingStrategy;
  tokens?: number;
  overlap?: number;
  context?: ChunkContext;
}

interface RechunkOptions extends ChunkingOptions {
  collection?: string;
  all?: boolean;
  wait?: boolean;
  json?: boolean;
}

const POLL_MS = 100;

function wholeNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('A whole number.');
  return Number(value);
}

const usage = (message: string): CommanderError => {
  process.stderr.write(`error: ${message}\n`);
  return new CommanderError(EXIT_USAGE, 'kindred.usage', message);
};

function addChunkingOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--strategy <strategy>', 'how stories become chunks').choices([...chunkingStrategyChoices.values]),
    )
    .option('--tokens <number>', 'most tokens of a chunk; what suits the model unless given', wholeNumber)
    .option('--overlap <number>', 'tokens that neighbouring sentence or token chunks share', wholeNumber)
    .addOption(
      new Option('--context <what>', 'what is embedded with each chunk').choices([...chunkContextChoices.values]),
    );
}

/** All of the settings, or none; `undefined` leaves stories theirs. */
function settingsOf({ strategy, tokens, overlap, context }: ChunkingOptions): ChunkingSettings | undefined {
  if (strategy !== undefined) {
    return {
      chunkingStrategy: strategy,
      chunkTokens: tokens ?? null,
      chunkOverlap: overlap ?? 0,
      chunkContext: context ?? 'none',
    };
  }
  if (tokens === undefined && overlap === undefined && context === undefined) return undefined;
  throw usage('--tokens, --overlap and --context go with --strategy');
}

/** Story files: what is named, whatever its name; of folders, what holds stories. */
async function findStoryFiles(paths: readonly string[]): Promise<FoundFiles> {
  const found: FoundFiles = { files: [], skipped: [] };
  for (const path of paths) {
    const isFolder = await stat(path).then(
      (facts) => facts.isDirectory(),
      () => false,
    );
    const { files, skipped } = await findImportFiles([path], isFolder ? undefined : 'stories');
    found.files.push(...files.filter((file) => file.kind === 'stories'));
    const others = files.filter((file) => file.kind !== 'stories');
    found.skipped.push(...skipped, ...others.map(({ file, kind }) => ({ file, reason: `holds ${kind}, not stories` })));
  }
  return found;
}

async function rechunk(options: RechunkOptions, session: Session, outcome: { code: number }): Promise<void> {
  const { core, stores } = session.instance;
  const settings = settingsOf(options);
  const chunking = new StoryChunking(core.registry);
  if (settings) chunking.check(settings, 'chunking');
  const filter = chunking.filterOf(options.collection === undefined ? {} : { collection: { eq: options.collection } });
  const begun = await core.database.transaction({ actor: 'rechunk', isBulk: true }, (transaction) =>
    chunking.rechunk(transaction, filter, settings),
  );
  if (options.collection !== undefined && begun.stories === 0) {
    throw new DomainError('NOT_FOUND', `No story is in the collection '${options.collection}'.`);
  }
  const relay = options.wait && stores.origin !== 'attached' ? core.createRelay() : undefined;
  const stopping = new AbortController();
  const release = onTermination(() => stopping.abort());
  try {
    relay?.start();
    const readProgress = (): Promise<ChunkingProgress> => chunking.progress(core.database, filter);
    const progress = options.wait ? await follow(readProgress, stopping.signal) : await readProgress();
    if (options.json) console.log(JSON.stringify({ ...begun, progress }));
    else printRechunked({ ...begun, ...progress });
    if (stopping.signal.aborted) throw new InterruptedError();
    if (options.wait && progress.storiesFailed + progress.chunksFailed > 0) outcome.code = EXIT_FAILURE;
  } finally {
    await relay?.stop();
    release();
  }
}

/** Shows both stages until all is in, or `signal` aborts; the work goes on without being looked at. */
async function follow(readProgress: () => Promise<ChunkingProgress>, signal: AbortSignal): Promise<ChunkingProgress> {
  const stages = [startProgress('Chunking', 'stories'), startProgress('Embedding', 'chunks')] as const;
  let current = 0;
  try {
    for (;;) {
      const progress = await readProgress();
      const { stories, storiesWaiting, chunks, chunksWaiting } = progress;
      if (current === 0) stages[0].update(stories - storiesWaiting, stories);
      if (current === 0 && storiesWaiting === 0) {
        stages[0].stop();
        current = 1;
      }
      if (current === 1) stages[1].update(chunks - chunksWaiting, chunks);
      if ((storiesWaiting === 0 && chunksWaiting === 0) || signal.aborted) return progress;
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    for (const stage of stages) stage.stop();
  }
}

function printRechunked(done: ChunkingProgress & { changed: number }): void {
  console.log(`stories  ${done.stories} chunked again, ${done.changed} of them with other settings`);
  console.log(`waiting  ${done.storiesWaiting} stories, ${done.chunksWaiting} of ${done.chunks} chunks`);
  const failed = done.storiesFailed + done.chunksFailed;
  if (failed > 0)
    console.log(`failed   ${done.storiesFailed} stories, ${done.chunksFailed} chunks; see the dead letters`);
}

export function addStoriesCommand(program: Command, outcome: { code: number }): void {
  const stories = program.command('stories').description('Import stories, and say how they are chunked.');
  addChunkingOptions(stories.command('import'))
    .description('Import stories from Markdown, text and JSONL files, and from the folders that hold them.')
    .argument('<path...>')
    .option('--collection <name>', 'the collection of all of them, whatever they say themselves')
    .option('--wait', 'return once everything is embedded')
    .option('--rejects <file>', 'where stories go that could not be imported', DEFAULT_REJECTS)
    .option('--json', 'print a machine-readable summary')
    .action(async (paths: string[], options: ImportingOptions & ChunkingOptions & { collection?: string }) => {
      const settings = settingsOf(options);
      const chunking = settings && { ...settings, chunkTokens: settings.chunkTokens ?? undefined };
      const said = { chunking, collection: options.collection };
      const found = await findStoryFiles(paths);
      await withSession('kindred stories', (session) => importAndReport(found, options, session, outcome, said));
    });
  addChunkingOptions(stories.command('rechunk'))
    .description(
      'Chunk stories again, in the background. Texts that come out as they were keep their chunk, its tags and its vector.',
    )
    .option('--collection <name>', 'the stories of this collection')
    .option('--all', 'all stories')
    .option('--wait', 'return once everything is embedded')
    .option('--json', 'print a machine-readable result')
    .action(async (options: RechunkOptions) => {
      if ((options.collection === undefined) !== (options.all === true)) {
        throw usage('say which stories: --collection <name> or --all');
      }
      settingsOf(options);
      await withSession('kindred stories', (session) => rechunk(options, session, outcome));
    });
}

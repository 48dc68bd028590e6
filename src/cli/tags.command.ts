import { setTimeout as delay } from 'node:timers/promises';

import { InvalidArgumentError, type Command } from 'commander';

import type { Core } from '../app/core';
import { requireScheme } from '../features/tag/scheme/tag-scheme-store';
import { TagQuality, type Quality, type QualityReport } from '../features/tag/quality/tag-quality';
import { TaggingQueue } from '../features/tag/tagging/tagging-queue';
import { TagMerger } from '../features/tag/vocabulary/tag-merger';
import { tagIdsOf, tagNames } from '../features/tag/vocabulary/tag-names';
import { tagTree } from '../features/tag/vocabulary/tag-usage';
import { toGlobalId } from '../kernel/record/global-id';
import { onTermination } from '../kernel/process/termination';
import { EXIT_FAILURE, InterruptedError } from './exit-codes';
import { startProgress } from './progress';
import { withSession, type Session } from './session';

const ACTOR = 'kindred-cli';
const POLL_MS = 200;
const KINDS = { stories: 'story', contents: 'content_item', jobs: 'job_description' } as const;

interface JsonOption {
  json?: boolean;
}

function kindOf(value: string, previous: string[] = []): string[] {
  const kind = (KINDS as Record<string, string | undefined>)[value];
  if (kind === undefined) throw new InvalidArgumentError(`One of ${Object.keys(KINDS).join(', ')}.`);
  return [...previous, kind];
}

function shareOf(value: string): number {
  const share = Number(value);
  if (!(share > 0 && share <= 1)) throw new InvalidArgumentError('A number above 0, at most 1.');
  return share;
}

interface Assigned {
  suggested: number;
  accepted: number;
  rejected: number;
}

async function assigned(core: Core): Promise<Assigned> {
  const [row] = await core.database.query<Assigned>(
    `SELECT count(*) FILTER (WHERE status = 'suggested')::int AS suggested, count(*) FILTER (WHERE status = 'accepted')::int AS accepted,
       count(*) FILTER (WHERE status = 'rejected')::int AS rejected
     FROM (SELECT status FROM story_chunk_tags UNION ALL SELECT status FROM content_item_tags
       UNION ALL SELECT status FROM job_description_tags) a`,
  );
  return row ?? { suggested: 0, accepted: 0, rejected: 0 };
}

/** Queues tagging and shows how far it is; the running instance does it, or this process where there is none. */
async function queueAndWait(
  { instance }: Session,
  what: 'texts' | 'tags',
  queue: (queue: TaggingQueue) => Promise<number>,
  json: boolean | undefined,
  outcome: { code: number },
): Promise<void> {
  const { core, stores } = instance;
  const stopping = new AbortController();
  const release = onTermination(() => stopping.abort());
  const relay = stores.origin === 'attached' ? undefined : core.createRelay();
  const progress = startProgress('Tagging', what);
  try {
    const before = await assigned(core);
    const tagging = new TaggingQueue(core.database);
    const failedBefore = await tagging.failed();
    const queued = await queue(tagging);
    relay?.start();
    for (let left = queued; left > 0 && !stopping.signal.aborted;) {
      left = await tagging.pending();
      progress.update(Math.max(0, queued - left), queued);
      if (left > 0) await delay(POLL_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    progress.stop();
    // What was queued stays queued, and is done by whatever runs next.
    if (stopping.signal.aborted) throw new InterruptedError();
    const after = await assigned(core);
    const failed = Math.max(0, (await tagging.failed()) - failedBefore);
    if (failed > 0) outcome.code = EXIT_FAILURE;
    if (json) console.log(JSON.stringify({ queued, what, failed, before, after }));
    else {
      const change = after.suggested - before.suggested;
      console.log(
        `${queued} ${what} compared; ${after.suggested} suggestions now (${change >= 0 ? '+' : ''}${change}).`,
      );
      if (failed > 0) console.log(`${failed} failed; see \`kindred dead-letters list\`.`);
    }
  } finally {
    progress.stop();
    await relay?.stop();
    release();
  }
}

const percent = (value: number): string => `${(100 * value).toFixed(0)}%`;

function qualityLine(name: string, quality: Quality): string {
  const { accepted, rejected, current, suggested } = quality;
  const describe = ({ threshold, precision, recall, f1 }: Quality['current']): string =>
    `${threshold.toFixed(3)} (precision ${percent(precision)}, recall ${percent(recall)}, F1 ${f1.toFixed(2)})`;
  const proposal = suggested ? describe(suggested) : 'too few decisions';
  return `${name}: ${accepted} accepted, ${rejected} rejected; now ${describe(current)}; suggested ${proposal}`;
}

function printQuality(report: QualityReport, names: ReadonlyMap<number, string>): void {
  console.log(qualityLine(`scheme ${report.scheme}`, report.overall));
  for (const quality of report.tags) console.log(qualityLine(names.get(quality.tagId ?? 0) ?? '', quality));
}

/** What scripts read: tags by global id and name, and figures as the API has them. */
function qualityJson(report: QualityReport, applied: readonly number[], names: ReadonlyMap<number, string>): object {
  const tagOf = (id: number): object => ({ id: toGlobalId('TagConcept', id), name: names.get(id) });
  const { tagId: _, ...overall } = report.overall;
  return {
    scheme: report.scheme,
    overall,
    tags: report.tags.map(({ tagId, ...quality }) => ({ tag: tagOf(tagId ?? 0), ...quality })),
    applied: applied.map(tagOf),
  };
}

export function addTagsCommand(program: Command, outcome: { code: number }): void {
  const tags = program.command('tags').description('Tag texts, and look after the tags.');
  tags
    .command('infer')
    .description('Compare texts with all tags again, and wait until it is done.')
    .option('--kind <what>', `only these: ${Object.keys(KINDS).join(', ')}; may be repeated`, kindOf)
    .option('--untagged', 'only texts without a tag')
    .option('--json', 'print a machine-readable result')
    .action(({ kind, untagged, json }: JsonOption & { kind?: string[]; untagged?: boolean }) =>
      withSession('kindred tags', (session) =>
        queueAndWait(session, 'texts', (q) => q.infer({ kinds: kind, isUntaggedOnly: untagged }, ACTOR), json, outcome),
      ),
    );
  tags
    .command('retag')
    .description('Compare tags with all texts again, and wait until it is done.')
    .argument('[tag...]', 'names or aliases; all tags unless given')
    .option('--scheme <name>', 'only tags of this scheme')
    .option('--json', 'print a machine-readable result')
    .action((given: string[], { scheme, json }: JsonOption & { scheme?: string }) =>
      withSession('kindred tags', async (session) => {
        const { database } = session.instance.core;
        if (scheme !== undefined) await requireScheme(database, scheme);
        const tagIds = given.length > 0 ? await tagIdsOf(database, given) : undefined;
        await queueAndWait(session, 'tags', (q) => q.retag({ tagIds, scheme }, ACTOR), json, outcome);
      }),
    );
  tags
    .command('merge')
    .description('Make two tags one; the first becomes an alias of the second.')
    .argument('<source>', 'name or alias')
    .argument('<target>', 'name or alias')
    .option('--json', 'print a machine-readable result')
    .action((source: string, target: string, { json }: JsonOption) =>
      withSession('kindred tags', async ({ instance }) => {
        const { database } = instance.core;
        const [sourceId = 0, targetId = 0] = await tagIdsOf(database, [source, target]);
        const merge = await new TagMerger(database).merge(sourceId, targetId, ACTOR);
        if (json) console.log(JSON.stringify(merge));
        else {
          const { assignments, decisions, children, aliases } = merge;
          console.log(
            `${source} is ${target} now: ${assignments} assignments, ${decisions} decisions, ${children} tags below and ${aliases} names went over.`,
          );
        }
      }),
    );
  tags
    .command('tree')
    .description('Print the hierarchy, with how often each tag is used.')
    .option('--scheme <name>', 'only tags of this scheme')
    .option('--json', 'print a machine-readable result')
    .action(({ scheme, json }: JsonOption & { scheme?: string }) =>
      withSession('kindred tags', async ({ instance }) => {
        const { database } = instance.core;
        if (scheme !== undefined) await requireScheme(database, scheme);
        const tree = await tagTree(database, scheme);
        if (json) console.log(JSON.stringify(tree.map((tag) => ({ ...tag, id: toGlobalId('TagConcept', tag.id) }))));
        else
          for (const { depth, name, usageCount } of tree) console.log(`${'  '.repeat(depth)}${name} (${usageCount})`);
      }),
    );
  tags
    .command('quality')
    .description('What decisions say of thresholds. Changes nothing unless told to.')
    .option('--scheme <name>', 'the tags of this scheme', 'general')
    .option('--min-precision <share>', 'suggest what finds most at this precision, instead of the best F1', shareOf)
    .option('--apply', 'give tags the thresholds that are suggested for them')
    .option('--json', 'print a machine-readable result')
    .action((options: JsonOption & { scheme: string; minPrecision?: number; apply?: boolean }) =>
      withSession('kindred tags', async ({ instance }) => {
        const { core } = instance;
        const { scheme, minPrecision } = options;
        const service = new TagQuality(core.database, core.services.route);
        const report = await service.report(scheme, { minPrecision });
        const applied = options.apply ? await service.applySuggested(scheme, { minPrecision }, ACTOR) : [];
        const ids = [...report.tags.flatMap(({ tagId }) => tagId ?? []), ...applied];
        const names = await tagNames(core.database, ids);
        if (options.json) console.log(JSON.stringify(qualityJson(report, applied, names)));
        else {
          printQuality(report, names);
          if (options.apply) console.log(`${applied.length} tags have another threshold now.`);
        }
      }),
    );
}

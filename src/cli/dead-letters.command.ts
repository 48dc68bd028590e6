import { InvalidArgumentError, type Command } from 'commander';

import type { Core } from '../app/core';
import { DomainError } from '../kernel/errors/domain-error';
import { DEAD_LETTER, type DeadLetterRow } from '../kernel/outbox/dead-letters';
import { decodeIdOf, toGlobalId } from '../kernel/record/global-id';
import { withSession } from './session';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 10_000;

function limitNumber(value: string): number {
  const limit = Number(value);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) throw new InvalidArgumentError(`1 to ${MAX_LIMIT}.`);
  return limit;
}

/** @throws BAD_INPUT */
function knownKind(kind: string | undefined, core: Core): string | undefined {
  const known = core.registry.embeddable.map((one) => one.kind);
  if (kind === undefined || known.includes(kind)) return kind;
  throw new DomainError('BAD_INPUT', `--kind: '${kind}' is none of ${known.join(', ')}.`);
}

/** As the API shows it. */
function shown(row: DeadLetterRow, core: Core) {
  const { topic, kind, pointId, attempts, errorCode, error, capturedAt, failedAt } = row;
  const { type } = core.registry.kind(kind).names;
  return {
    id: toGlobalId(DEAD_LETTER, row.id),
    topic,
    kind,
    recordId: row.recordId === null ? null : toGlobalId(type, row.recordId),
    pointId,
    attempts,
    errorCode,
    error,
    capturedAt,
    failedAt,
  };
}

function print(row: DeadLetterRow, core: Core): void {
  const { id, kind, recordId, pointId, attempts, errorCode, error, failedAt } = shown(row, core);
  const of = pointId === null ? '' : `, point ${pointId}`;
  console.log(`${id}  ${failedAt.toISOString()}  ${kind} ${recordId ?? '(gone)'}${of}, ${attempts} attempts`);
  console.log(`  ${errorCode}: ${error}`);
}

export function addDeadLettersCommand(program: Command): void {
  const deadLetters = program
    .command('dead-letters')
    .description('Changes that the vector side has given up: what they are, and another chance for them.');
  deadLetters
    .command('list')
    .description('Show them, the latest first.')
    .option('--kind <kind>', 'of this kind alone')
    .option('--limit <number>', 'how many', limitNumber, DEFAULT_LIMIT)
    .option('--json', 'print a machine-readable result')
    .action(({ kind, limit, json }: { kind?: string; limit: number; json?: boolean }) =>
      withSession('kindred dead-letters', async ({ instance: { core } }) => {
        const of = knownKind(kind, core);
        const { rows } = await core.services.deadLetters.page(limit, { kind: of });
        const total = await core.services.deadLetters.count(of);
        if (json) {
          console.log(JSON.stringify({ total, deadLetters: rows.map((row) => shown(row, core)) }));
          return;
        }
        for (const row of rows) print(row, core);
        console.log(rows.length < total ? `${rows.length} of ${total} dead letters` : `${total} dead letters`);
      }),
    );
  const redrive = deadLetters
    .command('redrive')
    .description('Try them again, with all of their attempts.')
    .argument('[id...]', 'as `list` shows them')
    .option('--all', 'all of them')
    .option('--kind <kind>', 'with --all: of this kind alone')
    .option('--json', 'print a machine-readable result')
    .action((ids: string[], { all, kind, json }: { all?: boolean; kind?: string; json?: boolean }) => {
      if (ids.length > 0 === (all === true)) redrive.error('error: name dead letters, or say --all');
      if (kind !== undefined && !all) redrive.error('error: --kind goes with --all');
      return withSession('kindred dead-letters', async ({ instance: { core } }) => {
        const { deadLetters: service } = core.services;
        const keys = ids.map((id) => decodeIdOf(DEAD_LETTER, id));
        let redriven = all ? await service.redriveAll(knownKind(kind, core)) : 0;
        for (const key of keys) if (await service.redrive(key)) redriven += 1;
        console.log(json ? JSON.stringify({ redriven }) : `${redriven} dead letters are tried again.`);
      });
    });
}

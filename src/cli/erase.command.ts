import type { Command } from 'commander';

import type { Core } from '../app/core';
import { DomainError } from '../kernel/errors/domain-error';
import { decodeIdOf, toGlobalId } from '../kernel/record/global-id';
import type { RecordKind } from '../kernel/record/record-spec';
import { duration } from './duration-option';
import { withSession, type Session } from './session';

interface EraseOptions {
  externalId?: boolean;
  timeout: number;
  json?: boolean;
}

const ACTOR = 'kindred erase';
const DEFAULT_TIMEOUT = '60s';

function personalKind(name: string, core: Core): RecordKind {
  const personal = core.registry.all.filter((kind) => kind.isPersonal);
  const found = personal.find((kind) => kind.kind === name);
  if (found) return found;
  const known = personal.map((kind) => kind.kind).join(', ');
  throw new DomainError('BAD_INPUT', `kind: '${name}' is none of those that can be erased: ${known}.`);
}

async function idOf(kind: RecordKind, id: string, isExternal: boolean, core: Core): Promise<number> {
  if (!isExternal) return decodeIdOf(kind.names.type, id);
  const [record] = await core.services.records.byUnique(kind, 'external_id', [id]);
  if (record) return record.id;
  throw new DomainError('NOT_FOUND', `There is no ${kind.names.label} with the external id '${id}'.`);
}

async function erase({ instance }: Session, name: string, given: string, options: EraseOptions): Promise<void> {
  const { core, stores } = instance;
  const kind = personalKind(name, core);
  const id = await idOf(kind, given, options.externalId ?? false, core);
  // Where another instance runs, its relay deletes the points.
  const relay = stores.origin === 'attached' ? undefined : core.createRelay();
  relay?.start();
  try {
    const { removed, found } = await core.services.eraser.erase(kind, id, { actor: ACTOR, timeoutMs: options.timeout });
    if (options.json) {
      console.log(JSON.stringify({ erasedId: toGlobalId(kind.names.type, id), removed, found }));
      return;
    }
    console.log(`${removed.rows} rows, ${removed.points} points and ${removed.events} events removed.`);
    console.log('Looked for afterwards by SQL, by words and by vectors: nothing found.');
  } finally {
    await relay?.stop();
  }
}

export function addEraseCommand(program: Command): void {
  program
    .command('erase')
    .description('Erase a person: rows, points, events, and every trace; then look whether anything is found.')
    .argument('<kind>', 'profile')
    .argument('<id>', 'as the API shows it')
    .option('--external-id', 'the id is the external one')
    .option('--timeout <time>', 'how long to wait for the points to be gone', duration, duration(DEFAULT_TIMEOUT))
    .option('--json', 'print a machine-readable result')
    .action((kind: string, id: string, options: EraseOptions) =>
      withSession('kindred erase', (session) => erase(session, kind, id, options)),
    );
}

import type { Command } from 'commander';

import { withSession, type Session } from './session';

interface MigrateOptions {
  restoreCapture?: boolean;
  json?: boolean;
}

async function migrate({ instance }: Session, { restoreCapture, json }: MigrateOptions): Promise<void> {
  const { database, capture } = instance.core;
  const rows = await database.query<{ name: string }>('SELECT name FROM kindred_migrations ORDER BY id');
  const applied = rows.map((row) => row.name);
  const repair = restoreCapture === true ? await capture.restore() : undefined;
  // What cannot be made anew is said rather than passed over.
  if (repair) await capture.check();
  if (json) {
    const restored = repair?.damages.map((damage) => damage.message);
    console.log(JSON.stringify({ applied, ...(repair && { restored, queued: repair.queued }) }));
    return;
  }
  console.log(`The schema is up to date (${applied.length} migrations).`);
  if (!repair) return;
  for (const { message } of repair.damages) console.log(`  was: ${message}`);
  console.log(
    repair.damages.length === 0
      ? 'Every change is captured; there was nothing to restore.'
      : `Every change is captured again. ${repair.queued} records and points are queued to be looked at.`,
  );
}

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('Bring the database schema and the vector collections up to date. Other commands do so themselves.')
    .option(
      '--restore-capture',
      'make damaged capture triggers anew, and look at every record that they may have missed',
    )
    .option('--json', 'print a machine-readable result')
    .action((options: MigrateOptions) =>
      withSession('kindred migrate', (session) => migrate(session, options), {
        isCaptureDamageKnown: options.restoreCapture,
      }),
    );
}

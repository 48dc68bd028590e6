import type { DataSource } from 'typeorm';
import { recordKinds } from '../src/features/registry';
import { captureFunctions, type CaptureFunction } from '../src/kernel/outbox/capture-sql';
import { deferrable, pendingRules } from './pending-rules';

/** Statements that bring a migrated database to what the program now asks for, and those that take them back. */
export interface PendingChanges {
  up: string[];
  /** In the order in which they must run. */
  down: string[];
}

interface CapturedState {
  /** As the server prints it; undefined when the function does not exist. */
  definition: string | undefined;
  /** The statements that make its triggers as they are. */
  triggers: string[];
}

/** What the entities and specs ask for and the database does not have. */
export async function pendingChanges(dataSource: DataSource): Promise<PendingChanges> {
  const schema = await dataSource.driver.createSchemaBuilder().log();
  const changes: PendingChanges = {
    up: schema.upQueries.map(({ query }) => deferrable(query)),
    down: schema.downQueries.map(({ query }) => query).reverse(),
  };
  const rules = await pendingRules(dataSource, recordKinds);
  changes.up.push(...rules.up);
  changes.down.unshift(...rules.down);
  const functions = captureFunctions(recordKinds);
  const before = await readCaptured(dataSource);
  const after = await whatWouldBeCaptured(dataSource, functions, changes.up);
  const undone: string[] = [];
  for (const capture of functions) {
    const [old, wanted] = [before.get(capture.name), after.get(capture.name)];
    if (old?.definition === wanted?.definition && sameTriggers(old, wanted)) continue;
    const hadFunction = old?.definition !== undefined;
    const hasOtherTriggers = !sameTriggers(old, wanted);
    if (hadFunction && hasOtherTriggers) changes.up.push(`DROP FUNCTION ${capture.name} CASCADE`);
    changes.up.push(capture.createFunction);
    if (hasOtherTriggers) changes.up.push(...capture.triggers.flatMap((trigger) => trigger.create));
    if (!hadFunction || hasOtherTriggers) undone.push(`DROP FUNCTION ${capture.name} CASCADE`);
    if (old?.definition !== undefined) undone.push(old.definition.trimEnd());
    if (hadFunction && hasOtherTriggers) undone.push(...old.triggers);
  }
  for (const [name, { definition }] of before) {
    if (functions.some((capture) => capture.name === name)) continue;
    changes.up.push(`DROP FUNCTION ${name} CASCADE`);
    if (definition) undone.push(definition.trimEnd(), ...(before.get(name)?.triggers ?? []));
  }
  changes.down.unshift(...undone);
  return changes;
}

function sameTriggers(one: CapturedState | undefined, other: CapturedState | undefined): boolean {
  return JSON.stringify(one?.triggers) === JSON.stringify(other?.triggers);
}

/** The capture functions as the server prints them once `changes` and all of `functions` are made; nothing stays. */
async function whatWouldBeCaptured(
  dataSource: DataSource,
  functions: CaptureFunction[],
  changes: string[],
): Promise<Map<string, CapturedState>> {
  const runner = dataSource.createQueryRunner();
  await runner.startTransaction();
  try {
    for (const change of changes) await runner.query(change);
    for (const { name, createFunction, triggers } of functions) {
      await runner.query(`DROP FUNCTION IF EXISTS ${name} CASCADE`);
      for (const statement of [createFunction, ...triggers.flatMap((trigger) => trigger.create)]) {
        await runner.query(statement);
      }
    }
    return await readCaptured(runner);
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}

async function readCaptured(database: { query(sql: string): Promise<unknown> }): Promise<Map<string, CapturedState>> {
  const rows = (await database.query(
    `SELECT p.proname AS name, pg_get_functiondef(p.oid) AS definition,
            array(SELECT unnest(ARRAY[pg_get_triggerdef(t.oid)] || CASE t.tgenabled
                WHEN 'A' THEN ARRAY[format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.tgrelid::regclass, t.tgname)]
                ELSE ARRAY[]::text[] END)
              FROM pg_trigger t WHERE t.tgfoid = p.oid ORDER BY t.tgname) AS triggers
       FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'kindred\\_capture\\_%' ORDER BY 1`,
  )) as { name: string; definition: string; triggers: string[] }[];
  return new Map(rows.map(({ name, definition, triggers }) => [name, { definition, triggers }]));
}

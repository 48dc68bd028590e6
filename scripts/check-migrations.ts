import type { DataSource } from 'typeorm';
import { withEmptyDatabase } from './migrated-database';
import { pendingChanges } from './pending-changes';

/**
 * Proves on an empty database that the migrations are complete (entities and specs ask for nothing more) and reversible
 * (every step down restores what was there before its step up, and going up again gives the same).
 */

/** Everything that a migration may leave behind, as the server itself describes it. */
const CATALOG = `
  SELECT 'relation' AS kind, c.relname AS name, c.relkind::text || ' ' || coalesce(obj_description(c.oid, 'pg_class'), '') AS definition
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
  UNION ALL
  SELECT 'column', c.relname || '.' || a.attname,
         format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull::text || ' ' || a.attgenerated::text || a.attidentity::text || ' '
           || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
   WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT 'constraint', conrelid::regclass::text || '.' || conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL
  SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL
  SELECT 'trigger', tgrelid::regclass::text || '.' || tgname, tgenabled::text || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL
  SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid)
    FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prokind IN ('f', 'p')
     AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
  UNION ALL
  SELECT 'type', t.typname, t.typtype::text || ' ' || coalesce((SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder)
           FROM pg_enum WHERE enumtypid = t.oid), '') || coalesce(pg_get_expr(t.typdefaultbin, 0), '')
    FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND t.typtype IN ('e', 'd')
  UNION ALL
  SELECT 'extension', extname, extversion FROM pg_extension
  ORDER BY 1, 2, 3`;

interface CatalogEntry {
  kind: string;
  name: string;
  definition: string;
}

/** TypeORM's own table of executed migrations comes with the first one and is nobody's to reverse. */
async function readCatalog(dataSource: DataSource): Promise<Map<string, string>> {
  const entries: CatalogEntry[] = await dataSource.query(CATALOG);
  return new Map(
    entries
      .filter(({ name }) => !name.includes('kindred_migrations'))
      .map(({ kind, name, definition }) => [`${kind} ${name}`, definition]),
  );
}

/** What differs between two catalogs, a line each; empty when they are equal. */
function differences(expected: Map<string, string>, actual: Map<string, string>): string[] {
  const names = [...new Set([...expected.keys(), ...actual.keys()])].sort();
  return names.flatMap((name) => {
    const [before, after] = [expected.get(name), actual.get(name)];
    if (before === undefined) return [`+ ${name}`];
    if (after === undefined) return [`- ${name}`];
    return before === after ? [] : [`~ ${name}\n    was ${before}\n    is  ${after}`];
  });
}

async function findProblems(dataSource: DataSource): Promise<string[]> {
  const problems: string[] = [];
  const report = (title: string, lines: string[]): void => {
    if (lines.length > 0) problems.push(`${title}:\n${lines.map((line) => `  ${line}`).join('\n')}`);
  };

  const steps = dataSource.migrations.length;
  if (steps === 0) return ['there are no migrations in dist/migrations'];

  const onTheWayUp = [await readCatalog(dataSource)];
  for (let step = 1; step <= steps; step += 1) {
    await runUpTo(dataSource, step);
    onTheWayUp.push(await readCatalog(dataSource));
  }
  const pending = await pendingChanges(dataSource);
  report('the entities and specs ask for changes that no migration makes', pending.up);

  const names = dataSource.migrations.map((migration) => migration.name ?? migration.constructor.name);
  for (let step = steps; step > 0; step -= 1) {
    await dataSource.undoLastMigration();
    const restored = onTheWayUp[step - 1] ?? new Map<string, string>();
    report(
      `${names[step - 1]}: down does not restore what was before up`,
      differences(restored, await readCatalog(dataSource)),
    );
  }
  await dataSource.runMigrations();
  const again = differences(onTheWayUp[steps] ?? new Map<string, string>(), await readCatalog(dataSource));
  report('going up, down and up again differs from going up', again);
  return problems;
}

/** Runs the first `count` migrations that have not run yet. */
async function runUpTo(dataSource: DataSource, count: number): Promise<void> {
  const all = [...dataSource.migrations];
  const held = all.splice(count);
  dataSource.migrations.splice(count);
  try {
    await dataSource.runMigrations();
  } finally {
    dataSource.migrations.push(...held);
  }
}

withEmptyDatabase(findProblems)
  .then((problems) => {
    if (problems.length === 0) return;
    console.error(problems.join('\n'));
    process.exitCode = 1;
  })
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });

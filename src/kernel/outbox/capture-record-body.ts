import type { Dependent } from './capture-dependents';
import { changed, versionsWhere } from './capture-versions';

function enqueue(kind: string, select: string): string {
  return [
    `    INSERT INTO outbox_events (topic, kind, key, priority)`,
    `    SELECT DISTINCT 'source', '${kind}', found.key::text, kindred_priority()`,
    `    FROM (`,
    `      ${select}`,
    `    ) found WHERE found.key IS NOT NULL`,
    `    ON CONFLICT DO NOTHING;`,
  ].join('\n');
}

/** What a change of a table of records puts into the outbox: the records that it makes stale. */
export function recordBody(table: string, dependents: readonly Dependent[], ownKinds: ReadonlySet<string>): string {
  const lasting = dependents.filter((dependent) => !dependent.isUpdateOnly);
  // A deleted record's own points go through the cascade to its embedding rows.
  const survivors = lasting.filter((dependent) => !ownKinds.has(dependent.kind));
  const branch = (condition: string, list: readonly string[]): string[] =>
    list.length === 0 ? [] : [`  IF ${condition} THEN`, ...list, `  END IF;`];
  return [
    ...branch(
      `TG_OP = 'INSERT'`,
      lasting.map((d) => enqueue(d.kind, d.all('new_rows'))),
    ),
    ...branch(
      `TG_OP = 'UPDATE'`,
      dependents.map((d) =>
        enqueue(
          d.kind,
          d.ofChange((wanted) => versionsWhere(changed(d.columns), wanted)),
        ),
      ),
    ),
    ...branch(
      `TG_OP = 'DELETE'`,
      survivors.map((d) => enqueue(d.kind, d.all('old_rows'))),
    ),
    ...branch(
      `TG_OP = 'TRUNCATE'`,
      survivors.map((d) => enqueue(d.kind, d.all(table))),
    ),
    `  PERFORM pg_notify('kindred_outbox', 'source');`,
  ].join('\n');
}

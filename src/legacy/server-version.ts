import type { SqlRunner } from '../kernel/db/database';
import { DomainError } from '../kernel/errors/domain-error';

/** `pg_input_is_valid`, by which damaged values are told from good ones without an error, came with it. */
const NEEDED = 16;

/** @throws CONFIGURATION when PostgreSQL is too old to move a table */
export async function checkServer(sql: SqlRunner): Promise<void> {
  const [server] = await sql.query<{ major: number; version: string }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('server_version') AS version`,
  );
  if (!server || server.major >= NEEDED) return;
  throw new DomainError(
    'CONFIGURATION',
    `DATABASE_URL: this server is PostgreSQL ${server.version}; moving a table needs PostgreSQL ${NEEDED} or later. \`kindred legacy constrain\` works with it.`,
    { details: { found: server.version, needed: String(NEEDED) } },
  );
}

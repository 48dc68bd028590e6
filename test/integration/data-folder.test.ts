import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { acquireFileLock } from '../../src/adapters/file-lock';
import { claimDataFolder, readRuntime } from '../../src/kernel/process/data-folder';
import type { Runtime } from '../../src/kernel/process/runtime-file';

const DIST = path.resolve(__dirname, '..', '..', 'dist');

let folder: string;

beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'data-folder-test-'));
});

afterAll(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

function runtime(changes: Partial<Runtime> = {}): Runtime {
  return {
    pid: process.pid,
    url: 'http://127.0.0.1:4000/graphql',
    databaseUrl: 'postgresql://kindred@/kindred?host=%2Ftmp%2Fx',
    qdrantUrl: 'http://127.0.0.1:6333',
    qdrantApiKey: 'secret',
    startedAt: '2024-05-01T12:00:00.000Z',
    ...changes,
  };
}

const HOLDER = `
const [dist, dataDir] = process.argv.slice(1);
const { claimDataFolder } = require(dist + '/kernel/process/data-folder.js');
const { acquireFileLock } = require(dist + '/adapters/file-lock/index.js');
claimDataFolder(dataDir, acquireFileLock).then((claim) => {
  claim.publish({ pid: process.pid, url: 'http://127.0.0.1:4711/graphql', databaseUrl: 'd', qdrantUrl: 'q', startedAt: 's' });
  console.log('held');
  setInterval(() => {}, 1000);
});
`;

describe('a data folder', () => {
  it('has one holder at a time, and the next one can read who it is', async () => {
    const dataDir = path.join(folder, 'with spaces', 'x'.repeat(200));
    const claim = await claimDataFolder(dataDir, acquireFileLock);
    await expect(claimDataFolder(dataDir, acquireFileLock)).rejects.toMatchObject({
      code: 'DATA_FOLDER_IN_USE',
      message: expect.stringContaining('just starting'),
    });
    expect(readRuntime(dataDir, acquireFileLock)).toBeUndefined();

    claim.publish(runtime());
    await expect(claimDataFolder(dataDir, acquireFileLock)).rejects.toMatchObject({
      message: expect.stringContaining(`process id ${process.pid} at http://127.0.0.1:4000/graphql`),
    });
    expect(readRuntime(dataDir, acquireFileLock)).toEqual(runtime());
    expect(fs.statSync(path.join(dataDir, 'runtime.json')).mode & 0o777).toBe(0o600);
    expect(fs.statSync(dataDir).mode & 0o777).toBe(0o700);

    claim.publish(runtime({ url: undefined }));
    expect(readRuntime(dataDir, acquireFileLock)).toEqual(runtime({ url: undefined }));
    expect(fs.readdirSync(dataDir).sort()).toEqual(['claim.lock', 'runtime.json']);

    claim.release();
    claim.release();
    expect(readRuntime(dataDir, acquireFileLock)).toBeUndefined();
    const next = await claimDataFolder(dataDir, acquireFileLock);
    claim.publish(runtime());
    expect(readRuntime(dataDir, acquireFileLock)).toBeUndefined();
    next.release();
  });

  it('is free again once its holder was killed, even if a live program has the process id it wrote', async () => {
    const dataDir = path.join(folder, 'killed');
    const holder = spawn(process.execPath, ['-e', HOLDER, DIST, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => holder.once('close', resolve));
    try {
      await createInterface({ input: holder.stdout })[Symbol.asyncIterator]().next();
      expect(readRuntime(dataDir, acquireFileLock)).toMatchObject({ pid: holder.pid });
      await expect(claimDataFolder(dataDir, acquireFileLock)).rejects.toMatchObject({
        details: { dataDir, pid: holder.pid, url: 'http://127.0.0.1:4711/graphql' },
      });
    } finally {
      holder.kill('SIGKILL');
      await ended;
    }
    fs.writeFileSync(path.join(dataDir, 'runtime.json'), JSON.stringify(runtime({ pid: process.pid })));
    expect(readRuntime(dataDir, acquireFileLock)).toBeUndefined();
    const claim = await claimDataFolder(dataDir, acquireFileLock);
    expect(fs.existsSync(path.join(dataDir, 'runtime.json'))).toBe(false);
    claim.release();
  });

  it('goes to one of several that want it at once, also while others only look', async () => {
    const dataDir = path.join(folder, 'contended');
    const first = await claimDataFolder(dataDir, acquireFileLock);
    first.publish(runtime());
    first.release();
    fs.writeFileSync(path.join(dataDir, 'runtime.json'), JSON.stringify(runtime()));
    const claims = await Promise.allSettled(
      Array.from({ length: 8 }, () => {
        readRuntime(dataDir, acquireFileLock);
        return claimDataFolder(dataDir, acquireFileLock);
      }),
    );
    const won = claims.flatMap((claim) => (claim.status === 'fulfilled' ? [claim.value] : []));
    expect(won).toHaveLength(1);
    won[0]?.release();
  });

  it.each(['{', '{}', '[]', '{"pid":"1"}'])('with a damaged runtime file (%s) counts as not running', async (text) => {
    const dataDir = path.join(folder, 'damaged');
    const claim = await claimDataFolder(dataDir, acquireFileLock);
    fs.writeFileSync(path.join(dataDir, 'runtime.json'), text);
    expect(readRuntime(dataDir, acquireFileLock)).toBeUndefined();
    claim.release();
  });

  it('that cannot be made is a matter of configuration', async () => {
    const file = path.join(folder, 'file');
    fs.writeFileSync(file, '');
    await expect(claimDataFolder(path.join(file, 'data'), acquireFileLock)).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining(file),
    });
  });
});

import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { addCollection, apply, openEngine, upsert } from './support/engine';
import { useFolders } from './support/folder';
import { spawnSync } from 'node:child_process';

const folder = useFolders();

const MARK = 'a-payload-that-is-easy-to-find';

/** A folder with 200 points, closed properly. */
function filledFolder(): { at: string; file: string } {
  const at = folder();
  const engine = openEngine(at);
  const config = { vectors: { d: { size: 8, distance: 'Dot' } }, sparse_vectors: { s: {} } };
  const collection = addCollection(engine, 'books', config);
  const points = Array.from({ length: 200 }, (_, id) => ({
    id,
    vector: { d: Array.from({ length: 8 }, () => id + 0.5), s: { indices: [id], values: [1] } },
    payload: { text: `${MARK} ${id}` },
  }));
  apply(engine, collection, [upsert(points)]);
  engine.store.close();
  return { at, file: path.join(at, 'storage.sqlite') };
}

function change(file: string, edit: (bytes: Buffer) => Buffer | void): void {
  const bytes = fs.readFileSync(file);
  fs.writeFileSync(file, edit(bytes) ?? bytes);
}

/** Everywhere, for a page keeps stale copies of rows that moved. */
function at(bytes: Buffer, mark: string, edit: (from: number) => void): void {
  expect(bytes.includes(mark)).toBe(true);
  for (let from = bytes.indexOf(mark); from >= 0; from = bytes.indexOf(mark, from + mark.length)) edit(from);
}

const damaged = (file: string): unknown =>
  expect.objectContaining({ code: 'DATA_DAMAGED', message: expect.stringContaining(file) as unknown });

describe('a damaged file is reported by name and opened by nobody', () => {
  it.each<[string, (bytes: Buffer) => Buffer | void]>([
    ['a changed payload', (bytes) => at(bytes, `${MARK} 57`, (from) => bytes.write('X', from))],
    ['a changed dense vector', (bytes) => at(bytes, `${MARK} 58`, (from) => bytes.fill(1, from + 60, from + 64))],
    ['a changed point id', (bytes) => at(bytes, '199{"text', (from) => bytes.write('9', from))],
    ['an overwritten page', (bytes) => void bytes.fill(0x55, 5 * 8192, 6 * 8192)],
    ['a zeroed page', (bytes) => void bytes.fill(0, 5 * 8192, 6 * 8192)],
    ['a cut end', (bytes) => bytes.subarray(0, bytes.length - 8192)],
    ['a cut to half a page', (bytes) => bytes.subarray(0, 4000)],
    ['an emptied file', () => Buffer.alloc(0)],
    ['another header', (bytes) => void bytes.write('Not a database!!', 0)],
    ['another text altogether', () => Buffer.from('these are my notes')],
  ])('%s', (_, edit) => {
    const { at: folderAt, file } = filledFolder();
    change(file, edit);
    const before = fs.readFileSync(file);
    expect(() => openEngine(folderAt)).toThrow(damaged(file));
    expect(fs.readFileSync(file)).toEqual(before);
  });

  it('any single changed byte is reported or changes nothing', () => {
    const { at, file } = filledFolder();
    const original = fs.readFileSync(file);
    let reported = 0;
    // Every 97th byte keeps the test short and still meets every kind of page.
    for (let offset = 100; offset < original.length; offset += 97) {
      const bytes = Buffer.from(original);
      bytes[offset] = (bytes[offset] as number) ^ 0xff;
      fs.writeFileSync(file, bytes);
      try {
        const engine = openEngine(at);
        const points = engine.find('books');
        expect(points.pointCount).toBe(200);
        for (let id = 0; id < 200; id += 1) {
          expect(points.payloads[points.slotOf(id) as number]).toEqual({ text: `${MARK} ${id}` });
          expect(points.vectorAt(points.slotOf(id) as number, 'd')).toEqual({
            dense: new Float32Array(8).fill(id + 0.5),
          });
        }
        engine.store.close();
      } catch (error) {
        expect(error).toEqual(damaged(file));
        reported += 1;
      }
    }
    expect(reported).toBeGreaterThan(100);
  });

  it('a missing database beside the count of its commits', () => {
    const { at, file } = filledFolder();
    fs.rmSync(file);
    expect(() => openEngine(at)).toThrow(damaged(file));
  });

  it('a count of commits that is none', () => {
    const { at } = filledFolder();
    const sequence = path.join(at, 'storage.sequence');
    fs.writeFileSync(sequence, 'garbage');
    expect(() => openEngine(at)).toThrow(damaged(sequence));
  });

  it('the database of another program', () => {
    const at = folder();
    const file = path.join(at, 'storage.sqlite');
    const script = `const {DatabaseSync}=require('@photostructure/sqlite');
      const db=new DatabaseSync(process.argv[1]);db.exec('CREATE TABLE t(a); PRAGMA user_version=7');db.close()`;
    spawnSync(process.execPath, ['-e', script, file], { cwd: path.resolve(__dirname, '../../..') });
    expect(() => openEngine(at)).toThrow(damaged(file));
  });
});

describe('a write-ahead log that was left behind', () => {
  /** A folder whose last writes stand in the write-ahead log only, as after a kill. */
  function killedFolder(): { at: string; file: string; log: string } {
    const { at, file } = filledFolder();
    const engine = openEngine(at);
    const collection = engine.find('books');
    for (let id = 200; id < 220; id += 1) {
      apply(engine, collection, [upsert([{ id, vector: { d: new Array<number>(8).fill(1) } }])]);
      engine.store.flush();
    }
    const copy = folder();
    for (const name of fs.readdirSync(at)) fs.copyFileSync(path.join(at, name), path.join(copy, name));
    engine.store.close();
    fs.rmSync(at, { recursive: true });
    fs.cpSync(copy, at, { recursive: true });
    return { at, file, log: `${file}-wal` };
  }

  it('is taken in', () => {
    const { at } = killedFolder();
    const engine = openEngine(at);
    expect(engine.find('books').pointCount).toBe(220);
    engine.store.close();
  });

  it.each<[string, (log: string) => void]>([
    ['removed', (log) => fs.rmSync(log)],
    ['cut', (log) => fs.truncateSync(log, fs.statSync(log).size >> 1)],
    [
      'changed in its middle',
      (log) => change(log, (bytes) => void bytes.fill(0x55, bytes.length >> 1, (bytes.length >> 1) + 40)),
    ],
  ])('is missed when it was %s', (_, spoil) => {
    const { at, file, log } = killedFolder();
    spoil(log);
    expect(() => openEngine(at)).toThrow(damaged(file));
  });

  it('may be missing its unacknowledged end', () => {
    const { at, log } = killedFolder();
    fs.appendFileSync(log, Buffer.alloc(5000, 0x11));
    const engine = openEngine(at);
    expect(engine.find('books').pointCount).toBe(220);
    engine.store.close();
  });
});

import net from 'node:net';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startEmbeddedQdrant } from '../../../src/adapters/embedded-qdrant';
import { useFolders } from './support/folder';
import { send } from './support/http';

const folder = useFolders();

const create = (port: number, name: string): ReturnType<typeof send> =>
  send(port, { method: 'PUT', path: `/collections/${name}`, body: { vectors: { size: 2, distance: 'Dot' } } });

describe('the embedded server', () => {
  it('answers at its address, keeps what it was told, and gives its folder back when closed', async () => {
    const dataDir = path.join(folder(), 'made');
    const first = await startEmbeddedQdrant({ dataDir });
    expect(first.url).toBe(`http://127.0.0.1:${first.port}`);
    expect((await create(first.port, 'kept')).status).toBe(200);
    await first.close();
    await first.close();
    const second = await startEmbeddedQdrant({ dataDir, port: first.port });
    const { body } = await send(second.port, { method: 'GET', path: '/collections' });
    expect(body.result).toEqual({ collections: [{ name: 'kept' }] });
    await second.close();
  });

  it('makes no durable promise without wait, and keeps it none the less when closed', async () => {
    const dataDir = folder();
    const first = await startEmbeddedQdrant({ dataDir });
    await create(first.port, 'c');
    const points = Array.from({ length: 100 }, (_, id) => ({ id, vector: [1, 2] }));
    const written = await send(first.port, { method: 'PUT', path: '/collections/c/points', body: { points } });
    expect(written.body.result).toMatchObject({ status: 'acknowledged' });
    await first.close();
    const second = await startEmbeddedQdrant({ dataDir });
    const counted = await send(second.port, { method: 'POST', path: '/collections/c/points/count', body: {} });
    expect(counted.body.result).toEqual({ count: 100 });
    await second.close();
  });

  it('keeps nothing in memory', async () => {
    const server = await startEmbeddedQdrant({ dataDir: ':memory:' });
    expect((await create(server.port, 'c')).status).toBe(200);
    await server.close();
    expect(fs.existsSync(':memory:')).toBe(false);
  });

  it('shares a folder with no other server, in this process either', async () => {
    const dataDir = folder();
    const first = await startEmbeddedQdrant({ dataDir });
    await expect(startEmbeddedQdrant({ dataDir })).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
    await first.close();
  });

  it('says which file is damaged', async () => {
    const dataDir = folder();
    const file = path.join(dataDir, 'storage.sqlite');
    fs.writeFileSync(file, 'this is no database, whatever it is');
    const failure = { code: 'DATA_DAMAGED', message: expect.stringContaining(file) as unknown };
    await expect(startEmbeddedQdrant({ dataDir })).rejects.toMatchObject(failure);
  });

  it('says which folder it cannot use', async () => {
    const dataDir = path.join(folder(), 'a-file');
    fs.writeFileSync(dataDir, '');
    const failure = { code: 'CONFIGURATION', message: expect.stringContaining(dataDir) as unknown };
    await expect(startEmbeddedQdrant({ dataDir })).rejects.toMatchObject(failure);
  });

  it('says when its port is taken', async () => {
    const other = net.createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as net.AddressInfo;
    const failure = { code: 'CONFIGURATION', message: expect.stringContaining(String(port)) as unknown };
    await expect(startEmbeddedQdrant({ dataDir: ':memory:', port })).rejects.toMatchObject(failure);
    other.close();
    await once(other, 'close');
  });

  it.each(['0.0.0.0', '::', '192.168.0.1'])('does not listen on %s without an API key', async (host) => {
    await expect(startEmbeddedQdrant({ dataDir: ':memory:', host })).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });
});

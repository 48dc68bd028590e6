import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import path from 'node:path';

import { startEmbeddedQdrant, type EmbeddedQdrant } from '../../src/adapters/embedded-qdrant';
import { startThrowawayPostgres, type EmbeddedPostgres } from '../../src/adapters/embedded-postgres';
import { count, pointIds, untilIndexed, withDatabase } from './support/both-stores';
import { eventually } from './support/eventually';
import { ask, post } from './support/graphql';
import { cleanUp, runProgram, startProgram, temporaryFolder, type Finished } from './support/program';
import { severable, type Severable } from './support/severable';

let postgres: EmbeddedPostgres;
let qdrant: EmbeddedQdrant;
let toPostgres: Severable;
let toQdrant: Severable;
let env: { DATABASE_URL: string; QDRANT_URL: string };

beforeAll(async () => {
  [postgres, qdrant] = await Promise.all([startThrowawayPostgres(), startEmbeddedQdrant({ dataDir: ':memory:' })]);
  const { host, port } = postgres.connection;
  toPostgres = await severable({ host: '127.0.0.1', port: 0 }, { path: path.join(host, `.s.PGSQL.${port}`) });
  toQdrant = await severable({ host: '127.0.0.1', port: 0 }, { host: '127.0.0.1', port: qdrant.port });
  env = {
    DATABASE_URL: `postgresql://kindred@127.0.0.1:${toPostgres.port}/kindred`,
    QDRANT_URL: `http://127.0.0.1:${toQdrant.port}`,
  };
});

afterAll(async () => {
  await cleanUp();
  await Promise.all([toPostgres.close(), toQdrant.close()]);
  await Promise.all([postgres.stop(), qdrant.close()]);
});

function listen(server: TcpServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

const addresses = (): { databaseUrl: string; qdrantUrl: string } => ({
  databaseUrl: postgres.url,
  qdrantUrl: qdrant.url,
});

interface Health {
  status: string;
  parts: Record<string, { isReady: boolean; reason?: string }>;
}

async function health(url: string): Promise<{ code: number; body: Health }> {
  const response = await fetch(`${url}/health/ready`);
  return { code: response.status, body: (await response.json()) as Health };
}

const unready = ({ body }: { body: Health }): string[] =>
  Object.entries(body.parts).flatMap(([name, part]) => (part.isReady ? [] : [name]));

describe('serve with a store that does not answer at the start', () => {
  const silent = createTcpServer((socket) => socket.on('error', () => undefined).resume());
  let silentPort: number;
  let refusingPort: number;

  beforeAll(async () => {
    silentPort = await listen(silent);
    const gone = createTcpServer();
    refusingPort = await listen(gone);
    await new Promise((resolve) => gone.close(resolve));
  });

  afterAll(() => new Promise((resolve) => silent.close(resolve)));

  it('names the setting in one line, whether the server refuses or is silent', async () => {
    const start = (settings: Partial<typeof env>): Promise<Finished> =>
      runProgram(temporaryFolder(), ['serve'], { env: { ...env, KINDRED_LOG_LEVEL: 'error', ...settings } });
    const database = (port: number): string => `postgresql://kindred:hunter2@127.0.0.1:${port}/kindred`;
    const vectors = (port: number): string => `http://127.0.0.1:${port}`;

    const [silentDatabase, silentVectors, noDatabase, noVectors] = await Promise.all([
      start({ DATABASE_URL: database(silentPort) }),
      start({ QDRANT_URL: vectors(silentPort) }),
      start({ DATABASE_URL: database(refusingPort) }),
      start({ QDRANT_URL: vectors(refusingPort) }),
    ]);

    for (const { code, stdout, stderr } of [silentDatabase, silentVectors, noDatabase, noVectors]) {
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stderr).not.toContain('hunter2');
    }
    for (const { stderr } of [silentDatabase, noDatabase]) {
      expect(stderr).toMatch(/^kindred: PostgreSQL does not answer at DATABASE_URL: /);
    }
    for (const { stderr } of [silentVectors, noVectors]) {
      expect(stderr).toMatch(/^kindred: Qdrant does not answer at QDRANT_URL: /);
    }
  });
});

describe('serve whose stores fail in flight', () => {
  const folder = temporaryFolder();
  let url: string;
  let program: ReturnType<typeof startProgram>;
  let jobId: string;

  beforeAll(async () => {
    program = startProgram(folder, ['serve'], { env: { ...env, KINDRED_DEMO: 'off' } });
    url = await program.ready();
    const { createJob } = await ask<{ createJob: { job: { id: string } } }>(
      url,
      'mutation { createJob(input: { title: "Lamplighter", description: "Light the lamps at dusk." }) { job { id } } }',
    );
    jobId = createJob.job.id;
    await untilIndexed(addresses());
  });

  const SEARCH = '{ searchJobs(query: { text: "who lights the lamps" }, first: 1) { nodes { title } } }';
  const FOUND = { searchJobs: { nodes: [{ title: 'Lamplighter' }] } };

  it('answers with codes while Qdrant is away, goes on reading and writing, and catches up', async () => {
    await toQdrant.cut();

    const { errors } = await post(url, SEARCH);
    expect(errors).toMatchObject([{ extensions: { code: 'VECTOR_STORE_UNAVAILABLE', retryable: true } }]);
    const { code, body } = await health(url);
    expect(code).toBe(503);
    expect(body.status).toBe('not ready');
    expect(unready({ body })).toContain('vectorStore');
    expect(unready({ body })).not.toContain('database');
    expect(await ask(url, '{ jobs { nodes { title } } }')).toEqual({ jobs: { nodes: [{ title: 'Lamplighter' }] } });
    await ask(url, 'mutation ($id: ID!) { updateJob(id: $id, input: { location: "Old Town" }) { job { id } } }', {
      id: jobId,
    });

    await toQdrant.mend();
    await eventually('readiness', async () => ((await health(url)).code === 200 ? true : undefined));
    await untilIndexed(addresses());
    expect(await ask(url, SEARCH)).toEqual(FOUND);
  });

  it('answers with codes while PostgreSQL is away, and recovers by itself', async () => {
    await toPostgres.cut();

    const { errors } = await post(url, '{ jobs { nodes { title } } }');
    expect(errors).toMatchObject([{ extensions: { code: 'DATABASE_UNAVAILABLE', retryable: true } }]);
    const write = await post(url, 'mutation { createJob(input: { title: "X", description: "Y" }) { job { id } } }');
    expect(write.errors).toMatchObject([{ extensions: { code: 'DATABASE_UNAVAILABLE' } }]);
    const { code, body } = await health(url);
    expect(code).toBe(503);
    expect(unready({ body })).toContain('database');
    expect(unready({ body })).not.toContain('vectorStore');

    await toPostgres.mend();
    await eventually('readiness', async () => ((await health(url)).code === 200 ? true : undefined));
    expect(await ask(url, SEARCH)).toEqual(FOUND);
    expect(await ask(url, '{ jobs { totalCount } }')).toEqual({ jobs: { totalCount: 1 } });
  });

  it('does not wait for ever when a store is silent', async () => {
    toPostgres.freeze();
    toQdrant.freeze();

    const { code, body } = await health(url);
    expect(code).toBe(503);
    expect(unready({ body })).toEqual(expect.arrayContaining(['database', 'vectorStore']));

    await Promise.all([toPostgres.cut(), toQdrant.cut()]);
    await Promise.all([toPostgres.mend(), toQdrant.mend()]);
    await eventually('readiness', async () => ((await health(url)).code === 200 ? true : undefined));
    expect(await ask(url, SEARCH)).toEqual(FOUND);
  });

  it('has logged each request that an outage failed, with its code, and no other fault', async () => {
    program.kill('SIGTERM');
    expect(await program.ended).toEqual({ code: 0, signal: null });

    expect(program.stderr()).not.toMatch(/^\s+at /m);
    const faults = program.logs().filter(({ level }) => level === 'error' || level === 'fatal');
    expect(new Set(faults.map(({ err }) => (err as { code?: string } | undefined)?.code))).toEqual(
      new Set(['VECTOR_STORE_UNAVAILABLE', 'DATABASE_UNAVAILABLE']),
    );
    const { rows, ledger, points } = await pointIds(addresses());
    expect(ledger).toEqual(rows);
    expect(points).toEqual(rows);
  });
});

describe('serve that is stopped while a model is slow', () => {
  const waiting = new Set<ServerResponse>();
  let provider: Server;
  let providerPort: number;

  beforeAll(async () => {
    provider = createServer((_, response) => waiting.add(response));
    providerPort = await listen(provider);
    await withDatabase(postgres.url, (client) => client.query('CREATE DATABASE slow_model'));
  });

  afterAll(() => {
    provider.closeAllConnections();
    provider.close();
  });

  it('gives back what it had taken, so that another worker need not wait for its lease to end', async () => {
    const databaseUrl = env.DATABASE_URL.replace(/kindred$/, 'slow_model');
    const ownQdrant = await startEmbeddedQdrant({ dataDir: ':memory:' });
    try {
      const folder = temporaryFolder();
      const program = startProgram(folder, ['serve'], {
        env: {
          DATABASE_URL: databaseUrl,
          QDRANT_URL: ownQdrant.url,
          KINDRED_EMBEDDER: 'openai',
          OPENAI_BASE_URL: `http://127.0.0.1:${providerPort}/v1`,
          KINDRED_EMBEDDING_MODEL: 'slow',
          KINDRED_EMBEDDING_DIMENSIONS: '8',
          KINDRED_RELAY_LEASE_MS: '3600000',
        },
      });
      const leases = (): Promise<number> =>
        withDatabase(databaseUrl, (client) => count(client, 'outbox_events WHERE lease_owner IS NOT NULL'));
      await eventually('the model to be asked', () => {
        if (program.hasEnded()) throw new Error(program.stderr());
        return waiting.size > 0 ? true : undefined;
      });
      await eventually('a lease', async () => ((await leases()) > 0 ? true : undefined));

      program.kill('SIGTERM');

      expect(await program.ended).toEqual({ code: 0, signal: null });
      expect(await leases()).toBe(0);
      const left = await withDatabase(databaseUrl, (client) =>
        count(client, 'outbox_events WHERE available_at <= now() AND leased_until IS NULL'),
      );
      expect(left).toBeGreaterThan(0);
    } finally {
      await ownQdrant.close();
    }
  });
});

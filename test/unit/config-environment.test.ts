import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadEnvironment } from '../../src/config/environment';
import { variables } from '../../src/config/variables';
import { DomainError } from '../../src/kernel/errors/domain-error';

const example = readFileSync(path.resolve(__dirname, '../../.env.example'), 'utf8');

function problemsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    loadEnvironment(env);
  } catch (error) {
    expect(error).toBeInstanceOf(DomainError);
    expect((error as DomainError).code).toBe('CONFIGURATION');
    return (error as DomainError).details['problems'] as string[];
  }
  return [];
}

describe('.env.example', () => {
  it('documents every variable, and no other', () => {
    const documented = [...example.matchAll(/^#([A-Z][A-Z0-9_]*)=/gm)].map((match) => match[1]);
    expect(documented).toEqual(Object.keys(variables));
  });

  it('shows the real defaults', () => {
    const shown = Object.fromEntries(
      [...example.matchAll(/^#([A-Z][A-Z0-9_]*)=(.+)$/gm)].map(([, name, value]) => [name, value]),
    );
    const withDefaults = loadEnvironment({});
    const fromFile = loadEnvironment(shown as NodeJS.ProcessEnv);
    expect(fromFile).toEqual({
      ...withDefaults,
      authentication: fromFile.authentication,
      embedder: { ...withDefaults.embedder, openAiBaseUrl: 'https://api.openai.com/v1' },
    });
  });
});

describe('loadEnvironment', () => {
  it('needs nothing at all', () => {
    const environment = loadEnvironment({});
    expect(environment.http).toMatchObject({ host: '127.0.0.1', port: 4000, corsOrigins: [] });
    expect(environment.authentication).toEqual({ apiKeys: [], jwt: undefined });
    expect(environment.embedder.provider).toBe('local');
    expect(environment.dataDir).toBe(path.resolve('.kindred'));
    expect(environment.databaseUrl).toBeUndefined();
    expect(environment.warnings).toEqual([]);
  });

  it('takes an empty value for none, as Compose files have them', () => {
    expect(loadEnvironment({ PORT: '', DATABASE_URL: ' ', OPENAI_API_KEY: '' })).toEqual(loadEnvironment({}));
  });

  it('embeds with OpenAI once a key is there, unless told otherwise', () => {
    expect(loadEnvironment({ OPENAI_API_KEY: 'sk-1' }).embedder.provider).toBe('openai');
    expect(loadEnvironment({ OPENAI_API_KEY: 'sk-1', KINDRED_EMBEDDER: 'local' }).embedder.provider).toBe('local');
    expect(loadEnvironment({ KINDRED_EMBEDDER: 'openai', OPENAI_BASE_URL: 'http://h:1/v1' }).embedder.provider).toBe(
      'openai',
    );
  });

  it('reads keys, tokens, origins and switches', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const environment = loadEnvironment({
      KINDRED_API_KEYS: `reader:${'a'.repeat(64)}, Admin:${'B'.repeat(64)}`,
      KINDRED_JWT_PUBLIC_KEY: pem.replaceAll('\n', '\\n'),
      KINDRED_JWT_ISSUER: 'me',
      KINDRED_CORS_ORIGINS: 'https://app.example.org,http://localhost:5173',
      KINDRED_RELAY: 'OFF',
      KINDRED_RATE_LIMIT_PER_MINUTE: '0',
    });
    expect(environment.authentication.apiKeys).toEqual([
      { role: 'reader', sha256: 'a'.repeat(64) },
      { role: 'admin', sha256: 'b'.repeat(64) },
    ]);
    expect(environment.authentication.jwt).toMatchObject({ algorithm: 'ES256', key: pem, issuer: 'me' });
    expect(environment.http.corsOrigins).toEqual(['https://app.example.org', 'http://localhost:5173']);
    expect(environment.http.rateLimit).toBeUndefined();
    expect(environment.relay.isEnabled).toBe(false);
  });

  it('takes the form of a database address that leads to a unix socket', () => {
    const url = 'postgresql://kindred@/kindred?host=%2Frun%2Fpostgresql';
    expect(loadEnvironment({ DATABASE_URL: url }).databaseUrl).toBe(url);
    expect(problemsOf({ DATABASE_URL: 'mysql://kindred@/kindred' })).toHaveLength(1);
    expect(problemsOf({ QDRANT_URL: 'http://me@/' })).toHaveLength(1);
  });

  it('lists every wrong variable with its value and what is right', () => {
    const problems = problemsOf({
      PORT: '70000',
      KINDRED_LOG_LEVEL: 'loud',
      QDRANT_ON_DISK: 'maybe',
      KINDRED_RELAY_LEASE_MS: '1.5',
    });
    expect(problems).toEqual([
      'PORT is "70000"; it must be a whole number from 0 to 65535; 4000 when it is not set',
      'KINDRED_LOG_LEVEL is "loud"; it must be fatal, error, warn, info, debug, trace or silent',
      'QDRANT_ON_DISK is "maybe"; it must be on or off',
      'KINDRED_RELAY_LEASE_MS is "1.5"; it must be a whole number from 1000 to 3600000; 60000 when it is not set',
    ]);
    expect(() => loadEnvironment({ PORT: 'x', HOST: '' })).toThrow(
      /^A setting is wrong:\n {2}- PORT is "x"; it must be/,
    );
  });

  it.each([
    ['DATABASE_URL', 'mysql://root:hunter2@db/x'],
    ['QDRANT_URL', 'hunter2.example.org:6333'],
    ['KINDRED_API_KEYS', 'writer:hunter2'],
    ['KINDRED_JWT_SECRET', 'hunter2'],
    ['KINDRED_JWT_PUBLIC_KEY', '-----BEGIN PUBLIC KEY-----\nhunter2\n-----END PUBLIC KEY-----'],
  ])('does not repeat a wrong %s', (name, value) => {
    const [problem, ...others] = problemsOf({ [name]: value });
    expect(others).toEqual([]);
    expect(problem).toMatch(new RegExp(`^${name} .*it must be `));
    expect(problem).not.toContain('hunter2');
  });

  it.each([
    [{ KINDRED_EMBEDDER: 'openai' }, /needs OPENAI_API_KEY/],
    [{ KINDRED_NEXT_EMBEDDER: 'openai' }, /KINDRED_NEXT_EMBEDDER is "openai", which needs OPENAI_API_KEY/],
    [{ KINDRED_NEXT_EMBEDDING_MODEL: 'bge-m3' }, /KINDRED_NEXT_EMBEDDER is not; set both or neither/],
    [{ KINDRED_EMBEDDING_MODEL: 'bge-m3' }, /"bge-m3", but the local embedder has one model/],
    [{ KINDRED_EMBEDDING_DIMENSIONS: '512' }, /always gives 384/],
    [{ QDRANT_WRITE_CONSISTENCY_FACTOR: '2' }, /more than the 1 copies/],
    [{ KINDRED_CORS_ORIGINS: 'https://app.example.org/' }, /no slash at the end/],
  ])('refuses %p', (env, problem) => {
    expect(problemsOf(env)).toEqual([expect.stringMatching(problem)]);
  });

  it('reads a .env file below the variables of the process', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'kindred-env-'));
    try {
      const dotEnvFile = path.join(folder, '.env');
      writeFileSync(dotEnvFile, 'PORT=5000 # ours\nHOST="localhost"\nKINDRED_DEMO=\n');
      const environment = loadEnvironment({ PORT: '6000' }, { dotEnvFile });
      expect(environment.http).toMatchObject({ host: 'localhost', port: 6000 });
      expect(loadEnvironment({}, { dotEnvFile: path.join(folder, 'absent') })).toEqual(loadEnvironment({}));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('keeps the model in the cache folder of the user', () => {
    expect(loadEnvironment({ XDG_CACHE_HOME: '/var/caches' }).embedder.modelCacheDir).toBe('/var/caches/kindred');
    expect(loadEnvironment({ KINDRED_MODEL_CACHE_DIR: '/models' }).embedder.modelCacheDir).toBe('/models');
  });

  it('points out a name that it does not know', () => {
    expect(loadEnvironment({ KINDRED_EMBEDER: 'local' }).warnings).toEqual([
      expect.stringContaining('KINDRED_EMBEDER is set'),
    ]);
  });
});

it('reads the model that is to follow, reached as the configured one unless it says otherwise', () => {
  expect(loadEnvironment({}).next).toBeUndefined();
  const given = { OPENAI_API_KEY: 'sk-1', KINDRED_NEXT_EMBEDDER: 'openai', KINDRED_NEXT_EMBEDDING_MODEL: 'large' };
  expect(loadEnvironment(given).next).toMatchObject({ provider: 'openai', model: 'large', openAiApiKey: 'sk-1' });
  expect(loadEnvironment(given).embedder.model).toBeUndefined();
  expect(loadEnvironment({ ...given, KINDRED_NEXT_OPENAI_API_KEY: 'sk-2' }).next?.openAiApiKey).toBe('sk-2');
});

import { describe, expect, it } from '@jest/globals';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import { createAuthenticator, type AuthenticationSettings } from '../../src/http/authentication';
import { isLoopback, refuseUnsafeListen } from '../../src/http/listening';
import { buildTestServer } from '../support/http-server';

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
const bearer = (credential: string): { authorization: string } => ({ authorization: `Bearer ${credential}` });
const SECRET = 'a secret of at least thirty-two bytes';

describe('API keys', () => {
  const authenticate = createAuthenticator({
    apiKeys: [
      { role: 'reader', sha256: sha256('read-key') },
      { role: 'admin', sha256: sha256('admin-key').toUpperCase() },
    ],
  });

  it('give their role, in either header', () => {
    expect(authenticate(bearer('read-key'))).toEqual({
      actor: `key:${sha256('read-key').slice(0, 8)}`,
      role: 'reader',
    });
    expect(authenticate({ 'x-api-key': 'admin-key' })).toMatchObject({ role: 'admin' });
  });

  it.each([
    [{}],
    [bearer('other')],
    [{ authorization: 'Basic x' }],
    [bearer(sha256('read-key'))],
    [{ 'x-api-key': '' }],
  ])('that are missing or unknown (%j) give none', (headers) => {
    expect(() => authenticate(headers)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  });

  it('that were given in the clear stop the program', () => {
    const settings: AuthenticationSettings = { apiKeys: [{ role: 'reader', sha256: 'read-key' }] };
    expect(() => createAuthenticator(settings)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    expect(() => createAuthenticator(settings)).not.toThrow(/read-key/);
  });
});

describe('tokens', () => {
  const jwt = { key: SECRET, algorithm: 'HS256', issuer: 'us', audience: 'kindred' } as const;
  const authenticate = createAuthenticator({ jwt, apiKeys: [{ role: 'writer', sha256: sha256('plain-key') }] });
  const sign = (claims: object, options: object = {}): string =>
    createSigner({ key: SECRET, iss: 'us', aud: 'kindred', expiresIn: 60_000, ...options })(claims as never);

  it('give subject and role, beside API keys', () => {
    expect(authenticate(bearer(sign({ sub: 'ada', role: 'writer' })))).toMatchObject({ actor: 'ada', role: 'writer' });
    expect(authenticate(bearer(sign({ sub: 'ada', role: ['other', 'reader', 'admin'] })))).toMatchObject({
      role: 'admin',
    });
    expect(authenticate(bearer('plain-key'))).toMatchObject({ role: 'writer' });
  });

  it.each([
    ['expired', sign({ role: 'admin' }, { expiresIn: 1, clockTimestamp: Date.now() - 60_000 }), /expired/],
    ['signed with another secret', sign({ role: 'admin' }, { key: `${SECRET}!` }), /signature/],
    ['for another audience', sign({ role: 'admin' }, { aud: 'else' }), /audience/],
    ['from another issuer', sign({ role: 'admin' }, { iss: 'else' }), /issuer/],
    ['without an end', sign({ role: 'admin' }, { expiresIn: undefined }), /expiry/],
    ['without a role', sign({ role: 'owner' }), /no role/],
    [
      'unsigned',
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.x`,
      /form/,
    ],
  ])('that are %s are refused', (_what, token, message) => {
    expect(() => authenticate(bearer(token))).toThrow(
      expect.objectContaining({ code: 'UNAUTHENTICATED', message: expect.stringMatching(message) }),
    );
  });

  it('are verified with a public key, which is no secret for HS256', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const withKey = createAuthenticator({ jwt: { key: publicKey, algorithm: 'ES256', roleClaim: 'https://us/role' } });
    const token = createSigner({ key: privateKey, algorithm: 'ES256', expiresIn: 60_000 })({
      'https://us/role': 'reader',
    });
    expect(withKey(bearer(token))).toMatchObject({ role: 'reader' });
    const [, payload] = token.split('.');
    const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');
    const forged = createHash('sha256').update(`${header}.${payload}${publicKey}`).digest('base64url');
    expect(() => withKey(bearer(`${header}.${payload}.${forged}`))).toThrow(/signature or form/);
  });

  it.each([
    [{ key: 'short', algorithm: 'HS256' as const }, /32/],
    [{ key: 'no pem at all, though long enough for a secret', algorithm: 'RS256' as const }, /RS256/],
  ])('settings that cannot work stop the program', (settings, message) => {
    expect(() => createAuthenticator({ jwt: settings })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringMatching(message) }),
    );
  });
});

describe('a server with keys', () => {
  it('lets readers read, writers write and strangers see the page only', async () => {
    const { app, close } = await buildTestServer({
      authentication: {
        apiKeys: [
          { role: 'reader', sha256: sha256('r') },
          { role: 'writer', sha256: sha256('w') },
        ],
      },
    });
    const post = (query: string, headers: object) =>
      app.inject({ method: 'POST', url: '/graphql', headers: { host: 'api.example', ...headers }, payload: { query } });
    try {
      const stranger = await post('{ whoAmI }', {});
      expect(stranger.statusCode).toBe(401);
      expect(stranger.headers['www-authenticate']).toBe('Bearer');
      expect(stranger.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
      expect((await post('{ whoAmI }', bearer('r'))).json()).toMatchObject({
        data: { whoAmI: expect.stringContaining('reader') },
      });
      const reader = await post('mutation { rename(name: "x") }', bearer('r'));
      expect(reader.statusCode).toBe(403);
      expect(reader.json()).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
      expect((await post('mutation { rename(name: "x") }', bearer('w'))).json()).toEqual({ data: { rename: 'x' } });
      const page = await app.inject({ url: '/graphql', headers: { accept: 'text/html' } });
      expect(page.statusCode).toBe(200);
      expect((await app.inject('/health/ready')).statusCode).toBe(200);
    } finally {
      await close();
    }
  });
});

describe('listening', () => {
  it.each(['127.0.0.1', '127.8.9.1', 'localhost', '::1', '[::1]', '::ffff:127.0.0.1'])(
    '%s is this machine only',
    (host) => {
      expect(isLoopback(host)).toBe(true);
      expect(() => refuseUnsafeListen({ host, hasAuthentication: false })).not.toThrow();
    },
  );

  it.each(['0.0.0.0', '::', '192.168.1.2', 'example.org', '127.evil.example', '128.0.0.1'])(
    'on %s needs authentication',
    (host) => {
      expect(() => refuseUnsafeListen({ host, hasAuthentication: false })).toThrow(
        expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringContaining(host) }),
      );
      expect(() => refuseUnsafeListen({ host, hasAuthentication: true })).not.toThrow();
    },
  );
});

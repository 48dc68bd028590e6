import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createVerifier } from 'fast-jwt';
import { DomainError } from '../kernel/errors/domain-error';
import type { Role } from '../kernel/graphql/context';

/** Who asks, and what they may do. */
export interface Caller {
  /** Recorded as the writer of what the request changes, e.g. `ada@example.org` or `key:1f2e3d4c`. */
  actor: string;
  role: Role;
  /** When the credentials end, in milliseconds since 1970; absent where they do not. */
  expiresAt?: number;
}

export interface ApiKey {
  role: Role;
  /** SHA-256 of the key, 64 hexadecimal digits. The key itself is stored nowhere. */
  sha256: string;
}

export interface JwtSettings {
  /** The shared secret (HS256), or the public key in PEM. */
  key: string;
  algorithm: 'HS256' | 'RS256' | 'ES256';
  issuer?: string;
  audience?: string;
  /** The claim that holds the role; `role` unless given. */
  roleClaim?: string;
}

export interface AuthenticationSettings {
  apiKeys?: readonly ApiKey[];
  jwt?: JwtSettings;
}

/** @throws DomainError UNAUTHENTICATED when the credentials are missing, wrong, or give no role */
export type Authenticate = (headers: IncomingHttpHeaders) => Caller;

const RANK: Record<Role, number> = { reader: 0, writer: 1, admin: 2 };
const LOCAL: Caller = { actor: 'local', role: 'admin' };
const MIN_SECRET_BYTES = 32;

/** Whether someone with `role` may do what `required` may do: admin above writer above reader. */
export function hasRole(role: Role, required: Role): boolean {
  return RANK[role] >= RANK[required];
}

export function isAuthenticationConfigured(settings: AuthenticationSettings): boolean {
  return (settings.apiKeys?.length ?? 0) > 0 || settings.jwt !== undefined;
}

/**
 * Recognises callers by `Authorization: Bearer <key or token>` or `X-Api-Key: <key>`.
 * With nothing configured everybody is the local admin, which is why the server then listens on loopback only.
 * @throws DomainError CONFIGURATION when a key's hash or the token settings cannot work
 */
export function createAuthenticator(settings: AuthenticationSettings): Authenticate {
  if (!isAuthenticationConfigured(settings)) return () => LOCAL;
  const byKey = createKeyCheck(settings.apiKeys ?? []);
  const byToken = settings.jwt === undefined ? undefined : createTokenCheck(settings.jwt);
  return (headers) => {
    const credential = readCredential(headers);
    if (credential === undefined) {
      throw new DomainError(
        'UNAUTHENTICATED',
        'This server needs credentials: send `Authorization: Bearer <API key or token>`.',
      );
    }
    if (byToken !== undefined && looksLikeToken(credential)) return byToken(credential);
    const caller = byKey(credential);
    if (caller === undefined) throw new DomainError('UNAUTHENTICATED', 'This API key is not known here.');
    return caller;
  };
}

function readCredential(headers: IncomingHttpHeaders): string | undefined {
  const apiKey = headers['x-api-key'];
  if (typeof apiKey === 'string' && apiKey !== '') return apiKey;
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
}

function looksLikeToken(credential: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(credential);
}

function createKeyCheck(apiKeys: readonly ApiKey[]): (key: string) => Caller | undefined {
  const known = apiKeys.map(({ role, sha256 }) => {
    if (!/^[0-9a-f]{64}$/i.test(sha256)) {
      throw new DomainError(
        'CONFIGURATION',
        `The API key for role ${role} must be given as its SHA-256 in 64 hexadecimal digits, not ${sha256.length} ` +
          'characters. Make one with: printf %s "$KEY" | sha256sum',
      );
    }
    return { caller: { actor: `key:${sha256.slice(0, 8).toLowerCase()}`, role }, hash: Buffer.from(sha256, 'hex') };
  });
  return (key) => {
    const hash = createHash('sha256').update(key).digest();
    // Every key is compared, each in constant time, so the answer's time tells nothing.
    let found: Caller | undefined;
    for (const entry of known) if (timingSafeEqual(entry.hash, hash)) found = entry.caller;
    return found;
  };
}

function createTokenCheck(settings: JwtSettings): (token: string) => Caller {
  if (settings.algorithm === 'HS256' && Buffer.byteLength(settings.key) < MIN_SECRET_BYTES) {
    throw new DomainError(
      'CONFIGURATION',
      `The JWT secret has ${Buffer.byteLength(settings.key)} bytes; HS256 needs at least ${MIN_SECRET_BYTES}, or it can ` +
        'be guessed. Make one with: openssl rand -base64 48',
    );
  }
  const roleClaim = settings.roleClaim ?? 'role';
  let verify: (token: string) => Record<string, unknown>;
  try {
    verify = createVerifier({
      key: settings.key,
      algorithms: [settings.algorithm],
      requiredClaims: ['exp'],
      // A verified signature is remembered, its expiry is not: fast-jwt keeps an entry no longer than the token lives.
      cache: true,
      ...(settings.issuer === undefined ? {} : { allowedIss: settings.issuer }),
      ...(settings.audience === undefined ? {} : { allowedAud: settings.audience }),
    });
  } catch (error) {
    throw new DomainError('CONFIGURATION', `The JWT key cannot be used with ${settings.algorithm}.`, { cause: error });
  }
  return (token) => {
    let claims: Record<string, unknown>;
    try {
      claims = verify(token);
    } catch (error) {
      throw new DomainError('UNAUTHENTICATED', `The token is not accepted: ${reasonOf(error)}.`, { cause: error });
    }
    const role = bestRole(claims[roleClaim]);
    if (role === undefined) {
      throw new DomainError(
        'UNAUTHENTICATED',
        `The token's claim ${JSON.stringify(roleClaim)} names no role; it must be reader, writer or admin.`,
      );
    }
    const expiresAt = Number(claims['exp']) * 1000;
    return { actor: typeof claims['sub'] === 'string' ? claims['sub'] : 'token', role, expiresAt };
  };
}

function reasonOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'FAST_JWT_EXPIRED':
      return 'it has expired';
    case 'FAST_JWT_INACTIVE':
      return 'it is not valid yet';
    case 'FAST_JWT_MISSING_REQUIRED_CLAIM':
      return 'it has no expiry (claim "exp")';
    case 'FAST_JWT_INVALID_CLAIM_VALUE':
      return 'its issuer or audience is another';
    default:
      return 'its signature or form is wrong';
  }
}

function bestRole(claim: unknown): Role | undefined {
  const names = Array.isArray(claim) ? claim : [claim];
  return (['admin', 'writer', 'reader'] as const).find((role) => names.includes(role));
}

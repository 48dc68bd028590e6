import { createPublicKey } from 'node:crypto';
import { z } from 'zod';

/** One setting: how its text is read, and what a person who got it wrong is told. */
export interface Variable<Schema extends z.ZodType = z.ZodType> {
  schema: Schema;
  /** Completes "it must be …". */
  expected: string;
  /** Its value is never repeated in a message. */
  isSecret?: boolean;
}

function variable<Schema extends z.ZodType>(
  schema: Schema,
  expected: string,
  { isSecret = false }: { isSecret?: boolean } = {},
): Variable<Schema> {
  return { schema, expected, isSecret };
}

const integerText = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .refine((value) => value >= min && value <= max);

const integer = (min: number, max: number, fallback: number) =>
  variable(
    integerText(min, max).default(fallback),
    `a whole number from ${min} to ${max}; ${fallback} when it is not set`,
  );

const optionalInteger = (min: number, max: number) =>
  variable(integerText(min, max).optional(), `a whole number from ${min} to ${max}`);

const ON = ['on', 'true', 'yes', '1'];
const OFF = ['off', 'false', 'no', '0'];

const onOff = (fallback: boolean) =>
  variable(
    z
      .string()
      .toLowerCase()
      .refine((value) => ON.includes(value) || OFF.includes(value))
      .transform((value) => ON.includes(value))
      .default(fallback),
    'on or off',
  );

const url = (protocols: string[], example: string) =>
  variable(
    z
      .string()
      .refine((value) => {
        // PostgreSQL's own form for a unix socket has a user and no host, which the web's URLs may not.
        const url = value.replace(/^(postgres(?:ql)?:\/\/[^/]*@)(?=\/)/, '$1localhost');
        return URL.canParse(url) && protocols.includes(new URL(url).protocol);
      })
      .optional(),
    `a URL such as ${example}`,
    { isSecret: true },
  );

const text = (expected: string) => variable(z.string().optional(), expected);
const secret = (expected: string) => variable(z.string().optional(), expected, { isSecret: true });

const API_KEY = /^(reader|writer|admin):([0-9a-f]{64})$/i;
const apiKeys = z
  .string()
  .transform((value) => listOf(value))
  .refine((entries) => entries.every((entry) => API_KEY.test(entry)))
  .transform((entries) =>
    entries.map((entry) => {
      const [role = '', sha256 = ''] = entry.toLowerCase().split(':');
      return { role: role as 'reader' | 'writer' | 'admin', sha256 };
    }),
  )
  .default([]);

const origins = z
  .string()
  .transform((value) => listOf(value))
  .refine((entries) =>
    entries.every((entry) => entry === '*' || (URL.canParse(entry) && new URL(entry).origin === entry)),
  )
  .default([]);

const JWT_ALGORITHMS: Readonly<Record<string, 'RS256' | 'ES256' | undefined>> = { rsa: 'RS256', ec: 'ES256' };
const publicKey = z
  .string()
  .transform((value, context) => {
    // A one-line form is needed where a file of settings cannot hold line breaks.
    const key = value.replaceAll('\\n', '\n');
    try {
      const algorithm = JWT_ALGORITHMS[createPublicKey(key).asymmetricKeyType ?? ''];
      if (algorithm !== undefined) return { key, algorithm };
    } catch {
      // Reported below, without the reason of OpenSSL, which helps nobody.
    }
    context.addIssue({ code: 'custom', message: 'not a public key' });
    return z.NEVER;
  })
  .optional();

/** Every setting of the program, in the order of `.env.example`. */
export const variables = {
  PORT: integer(0, 65_535, 4000),
  HOST: variable(z.string().default('127.0.0.1'), 'an address or a host name of this machine'),
  KINDRED_DATA_DIR: variable(z.string().default('.kindred'), 'a folder'),
  KINDRED_DEMO: onOff(true),
  KINDRED_LOG_LEVEL: variable(
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    'fatal, error, warn, info, debug, trace or silent',
  ),

  DATABASE_URL: url(['postgres:', 'postgresql:'], 'postgresql://user:password@host:5432/database'),

  QDRANT_URL: url(['http:', 'https:'], 'http://localhost:6333'),
  QDRANT_API_KEY: secret('the API key of the Qdrant server'),
  QDRANT_SHARD_NUMBER: optionalInteger(1, 10_000),
  QDRANT_REPLICATION_FACTOR: optionalInteger(1, 100),
  QDRANT_WRITE_CONSISTENCY_FACTOR: optionalInteger(1, 100),
  QDRANT_QUANTIZATION: variable(z.enum(['none', 'scalar', 'binary']).default('none'), 'none, scalar or binary'),
  QDRANT_ON_DISK: onOff(false),

  KINDRED_EMBEDDER: variable(z.enum(['local', 'openai', 'deterministic']).optional(), 'local, openai or deterministic'),
  KINDRED_MODEL_CACHE_DIR: text('a folder'),
  OPENAI_API_KEY: secret('an API key'),
  OPENAI_BASE_URL: url(['http:', 'https:'], 'http://localhost:11434/v1'),
  KINDRED_EMBEDDING_MODEL: text('the name of a model'),
  KINDRED_EMBEDDING_DIMENSIONS: optionalInteger(1, 65_536),
  KINDRED_EMBEDDING_MAX_TOKENS: optionalInteger(16, 1_000_000),

  KINDRED_NEXT_EMBEDDER: variable(
    z.enum(['local', 'openai', 'deterministic']).optional(),
    'local, openai or deterministic',
  ),
  KINDRED_NEXT_EMBEDDING_MODEL: text('the name of a model'),
  KINDRED_NEXT_EMBEDDING_DIMENSIONS: optionalInteger(1, 65_536),
  KINDRED_NEXT_EMBEDDING_MAX_TOKENS: optionalInteger(16, 1_000_000),
  KINDRED_NEXT_OPENAI_API_KEY: secret('an API key'),
  KINDRED_NEXT_OPENAI_BASE_URL: url(['http:', 'https:'], 'http://localhost:11434/v1'),

  KINDRED_API_KEYS: variable(
    apiKeys,
    'a comma-separated list of <role>:<SHA-256 of the key, 64 hexadecimal digits>, the role being reader, writer or admin',
    { isSecret: true },
  ),
  KINDRED_JWT_SECRET: variable(
    z
      .string()
      .refine((value) => Buffer.byteLength(value) >= 32)
      .optional(),
    'at least 32 bytes long, e.g. from: openssl rand -base64 48',
    { isSecret: true },
  ),
  KINDRED_JWT_PUBLIC_KEY: variable(publicKey, 'an RSA or EC public key in PEM, line breaks as they are or as \\n', {
    isSecret: true,
  }),
  KINDRED_JWT_ISSUER: text('the value of the claim "iss"'),
  KINDRED_JWT_AUDIENCE: text('the value of the claim "aud"'),
  KINDRED_JWT_ROLE_CLAIM: text('the name of a claim'),
  KINDRED_CORS_ORIGINS: variable(
    origins,
    'a comma-separated list of origins such as https://app.example.org (no path, no slash at the end), or *',
  ),
  KINDRED_BEHIND_PROXY: onOff(false),

  KINDRED_RATE_LIMIT_PER_MINUTE: integer(0, 10_000_000, 1200),
  KINDRED_BODY_LIMIT_BYTES: integer(1024, 1_073_741_824, 1_048_576),
  KINDRED_MAX_QUERY_DEPTH: integer(1, 1000, 15),
  KINDRED_MAX_QUERY_COST: integer(1, 1_000_000_000, 10_000),
  KINDRED_MAX_ALIASES: integer(0, 100_000, 50),
  KINDRED_MAX_FIELDS: integer(1, 1_000_000, 1000),
  KINDRED_GRAPHQL_JIT: onOff(true),

  KINDRED_METRICS: onOff(true),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(['http:', 'https:'], 'http://localhost:4318'),
  OTEL_SERVICE_NAME: text('a name'),

  KINDRED_PURGE_AFTER_DAYS: integer(0, 36_500, 0),

  KINDRED_RELAY: onOff(true),
  KINDRED_RELAY_BATCH_SIZE: optionalInteger(1, 10_000),
  KINDRED_RELAY_LEASE_MS: integer(1000, 3_600_000, 60_000),
  KINDRED_RELAY_MAX_ATTEMPTS: integer(1, 1000, 8),
};

export type VariableName = keyof typeof variables;
export type VariableValues = { [Name in VariableName]: z.output<(typeof variables)[Name]['schema']> };

function listOf(value: string): string[] {
  return value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

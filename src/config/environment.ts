import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { DomainError } from '../kernel/errors/domain-error';
import type { Variable, VariableName, VariableValues } from './variables';
import { variables } from './variables';

export type EmbedderProvider = 'local' | 'openai' | 'deterministic';

/** A model, and how it is reached. */
export interface EmbedderSettings {
  provider: EmbedderProvider;
  /** Undefined: the provider's default. */
  model: string | undefined;
  dimensions: number | undefined;
  maxTokens: number | undefined;
  openAiApiKey: string | undefined;
  openAiBaseUrl: string | undefined;
  /** Absolute. */
  modelCacheDir: string;
  /** The npm program that started this process, if one did. */
  npmExecPath: string | undefined;
}

/** Everything that can be set from outside, validated; `.env.example` documents each variable. */
export interface Environment {
  http: {
    host: string;
    port: number;
    corsOrigins: string[];
    maxBodyBytes: number;
    /** Undefined: no limit. */
    rateLimit: { max: number; windowMs: number } | undefined;
    isBehindProxy: boolean;
  };
  authentication: {
    apiKeys: { role: 'reader' | 'writer' | 'admin'; sha256: string }[];
    jwt:
      | {
          key: string;
          algorithm: 'HS256' | 'RS256' | 'ES256';
          issuer?: string;
          audience?: string;
          roleClaim?: string;
        }
      | undefined;
  };
  graphql: { maxDepth: number; maxCost: number; maxAliases: number; maxFields: number; isJitEnabled: boolean };
  /** Absolute. */
  dataDir: string;
  /** Undefined: the embedded PostgreSQL. */
  databaseUrl: string | undefined;
  qdrant: {
    /** Undefined: the embedded server. */
    url: string | undefined;
    apiKey: string | undefined;
    shardNumber: number | undefined;
    replicationFactor: number | undefined;
    writeConsistencyFactor: number | undefined;
    quantization: 'none' | 'scalar' | 'binary';
    isOnDisk: boolean;
  };
  embedder: EmbedderSettings;
  /** The model that is to follow it, while it is being changed. */
  next: EmbedderSettings | undefined;
  relay: { isEnabled: boolean; batchSize: number | undefined; leaseMs: number; maxAttempts: number };
  /** Whether `/metrics` is served. */
  hasMetrics: boolean;
  /** Absent: nothing is traced. */
  tracing: { endpoint: string; serviceName: string } | undefined;
  retention: {
    /** How long archived records are kept; absent: for ever. */
    purgeAfterMs: number | undefined;
  };
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  isDemoEnabled: boolean;
  /** Settings that look like a mistake but stop nothing, one sentence each. */
  warnings: string[];
}

export interface EnvironmentOptions {
  /** A file of `NAME=value` lines; what is set in `env` goes first. By default `.env`, when `env` is not given. */
  dotEnvFile?: string;
}

/**
 * Reads and checks every setting. Nothing else in the program looks at `process.env`.
 * An empty value counts as not set, as Compose files have them.
 * @throws DomainError CONFIGURATION listing every wrong variable, one a line; values of secrets are not repeated
 */
export function loadEnvironment(env?: NodeJS.ProcessEnv, options: EnvironmentOptions = {}): Environment {
  const own = env ?? process.env;
  const dotEnvFile = options.dotEnvFile ?? (env === undefined ? '.env' : undefined);
  const given = { ...readDotEnv(dotEnvFile), ...withoutEmpty(own) };
  const problems: string[] = [];
  const values = readVariables(given, problems);
  if (values !== undefined) problems.push(...contradictions(values));
  if (values === undefined || problems.length > 0) {
    const heading = problems.length === 1 ? 'A setting is wrong' : `${problems.length} settings are wrong`;
    throw new DomainError('CONFIGURATION', `${heading}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`, {
      details: { problems },
    });
  }
  return toEnvironment(values, given);
}

type Given = Record<string, string | undefined>;

function readDotEnv(file: string | undefined): Given {
  if (file === undefined || !existsSync(file)) return {};
  try {
    return withoutEmpty(parseEnv(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new DomainError('CONFIGURATION', `${path.resolve(file)} cannot be read: ${(error as Error).message}`);
  }
}

function withoutEmpty(env: NodeJS.ProcessEnv | NodeJS.Dict<string>): Given {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => {
      const trimmed = value?.trim() ?? '';
      return trimmed === '' ? [] : [[name, trimmed]];
    }),
  );
}

function readVariables(given: Given, problems: string[]): VariableValues | undefined {
  const values: Partial<Record<VariableName, unknown>> = {};
  for (const [name, variable] of Object.entries(variables) as [VariableName, Variable][]) {
    const result = variable.schema.safeParse(given[name]);
    if (result.success) values[name] = result.data;
    else problems.push(describeProblem(name, given[name] ?? '', variable));
  }
  return problems.length === 0 ? (values as VariableValues) : undefined;
}

function describeProblem(name: string, value: string, { expected, isSecret }: Variable): string {
  if (isSecret)
    return `${name} has a value (${value.length} characters, not shown) that does not fit; it must be ${expected}`;
  const shown = value.length > 80 ? `${value.slice(0, 80)}…` : value;
  return `${name} is ${JSON.stringify(shown)}; it must be ${expected}`;
}

/** Settings that are right alone but not together. */
function contradictions(values: VariableValues): string[] {
  const problems: string[] = [];
  problems.push(...modelProblems(configuredModel(values)));
  const next = nextModel(values);
  if (next) problems.push(...modelProblems(next));
  else {
    for (const name of NEXT_VARIABLES) {
      if (values[name] !== undefined)
        problems.push(`${name} is set, but KINDRED_NEXT_EMBEDDER is not; set both or neither`);
    }
  }
  if (values.KINDRED_JWT_SECRET !== undefined && values.KINDRED_JWT_PUBLIC_KEY !== undefined) {
    problems.push('KINDRED_JWT_SECRET and KINDRED_JWT_PUBLIC_KEY are both set; tokens are signed one way, keep one');
  }
  const [replicas, writes] = [values.QDRANT_REPLICATION_FACTOR ?? 1, values.QDRANT_WRITE_CONSISTENCY_FACTOR ?? 1];
  if (writes > replicas) {
    problems.push(
      `QDRANT_WRITE_CONSISTENCY_FACTOR is ${writes}, more than the ${replicas} copies of QDRANT_REPLICATION_FACTOR: ` +
        'no write could succeed',
    );
  }
  return problems;
}

const NEXT_VARIABLES = [
  'KINDRED_NEXT_EMBEDDING_MODEL',
  'KINDRED_NEXT_EMBEDDING_DIMENSIONS',
  'KINDRED_NEXT_EMBEDDING_MAX_TOKENS',
  'KINDRED_NEXT_OPENAI_API_KEY',
  'KINDRED_NEXT_OPENAI_BASE_URL',
] as const;

/** The settings of one model, and what the names of its variables begin with. */
interface ModelValues extends Omit<EmbedderSettings, 'modelCacheDir' | 'npmExecPath'> {
  prefix: 'KINDRED_' | 'KINDRED_NEXT_';
}

function configuredModel(values: VariableValues): ModelValues {
  return {
    prefix: 'KINDRED_',
    provider: values.KINDRED_EMBEDDER ?? (values.OPENAI_API_KEY === undefined ? 'local' : 'openai'),
    model: values.KINDRED_EMBEDDING_MODEL,
    dimensions: values.KINDRED_EMBEDDING_DIMENSIONS,
    maxTokens: values.KINDRED_EMBEDDING_MAX_TOKENS,
    openAiApiKey: values.OPENAI_API_KEY,
    openAiBaseUrl: values.OPENAI_BASE_URL,
  };
}

/** Reached as the configured one, unless its own settings say otherwise. */
function nextModel(values: VariableValues): ModelValues | undefined {
  if (values.KINDRED_NEXT_EMBEDDER === undefined) return undefined;
  return {
    prefix: 'KINDRED_NEXT_',
    provider: values.KINDRED_NEXT_EMBEDDER,
    model: values.KINDRED_NEXT_EMBEDDING_MODEL,
    dimensions: values.KINDRED_NEXT_EMBEDDING_DIMENSIONS,
    maxTokens: values.KINDRED_NEXT_EMBEDDING_MAX_TOKENS,
    openAiApiKey: values.KINDRED_NEXT_OPENAI_API_KEY ?? values.OPENAI_API_KEY,
    openAiBaseUrl: values.KINDRED_NEXT_OPENAI_BASE_URL ?? values.OPENAI_BASE_URL,
  };
}

function modelProblems({ prefix, provider, model, dimensions, openAiApiKey, openAiBaseUrl }: ModelValues): string[] {
  const problems: string[] = [];
  if (provider === 'openai' && openAiApiKey === undefined && openAiBaseUrl === undefined) {
    problems.push(`${prefix}EMBEDDER is "openai", which needs OPENAI_API_KEY (or OPENAI_BASE_URL of another endpoint)`);
  }
  if (provider === 'local' && model !== undefined) {
    problems.push(
      `${prefix}EMBEDDING_MODEL is ${JSON.stringify(model)}, but the local embedder has one ` +
        `model, all-MiniLM-L6-v2; unset it, or set ${prefix}EMBEDDER=openai`,
    );
  }
  if (provider === 'local' && dimensions !== undefined) {
    problems.push(`${prefix}EMBEDDING_DIMENSIONS is set, but the local model always gives 384; unset it`);
  }
  return problems;
}

function toEnvironment(values: VariableValues, given: Given): Environment {
  const perMinute = values.KINDRED_RATE_LIMIT_PER_MINUTE;
  const signing =
    values.KINDRED_JWT_PUBLIC_KEY ??
    (values.KINDRED_JWT_SECRET === undefined
      ? undefined
      : { key: values.KINDRED_JWT_SECRET, algorithm: 'HS256' as const });
  const next = nextModel(values);
  return {
    http: {
      host: values.HOST,
      port: values.PORT,
      corsOrigins: values.KINDRED_CORS_ORIGINS,
      maxBodyBytes: values.KINDRED_BODY_LIMIT_BYTES,
      rateLimit: perMinute === 0 ? undefined : { max: perMinute, windowMs: 60_000 },
      isBehindProxy: values.KINDRED_BEHIND_PROXY,
    },
    authentication: {
      apiKeys: values.KINDRED_API_KEYS,
      jwt: signing && {
        ...signing,
        issuer: values.KINDRED_JWT_ISSUER,
        audience: values.KINDRED_JWT_AUDIENCE,
        roleClaim: values.KINDRED_JWT_ROLE_CLAIM,
      },
    },
    graphql: {
      maxDepth: values.KINDRED_MAX_QUERY_DEPTH,
      maxCost: values.KINDRED_MAX_QUERY_COST,
      maxAliases: values.KINDRED_MAX_ALIASES,
      maxFields: values.KINDRED_MAX_FIELDS,
      isJitEnabled: values.KINDRED_GRAPHQL_JIT,
    },
    dataDir: path.resolve(values.KINDRED_DATA_DIR),
    databaseUrl: values.DATABASE_URL,
    qdrant: {
      url: values.QDRANT_URL,
      apiKey: values.QDRANT_API_KEY,
      shardNumber: values.QDRANT_SHARD_NUMBER,
      replicationFactor: values.QDRANT_REPLICATION_FACTOR,
      writeConsistencyFactor: values.QDRANT_WRITE_CONSISTENCY_FACTOR,
      quantization: values.QDRANT_QUANTIZATION,
      isOnDisk: values.QDRANT_ON_DISK,
    },
    embedder: embedderSettings(configuredModel(values), values, given),
    next: next && embedderSettings(next, values, given),
    relay: {
      isEnabled: values.KINDRED_RELAY,
      batchSize: values.KINDRED_RELAY_BATCH_SIZE,
      leaseMs: values.KINDRED_RELAY_LEASE_MS,
      maxAttempts: values.KINDRED_RELAY_MAX_ATTEMPTS,
    },
    hasMetrics: values.KINDRED_METRICS,
    tracing:
      values.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
        ? undefined
        : {
            endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
            serviceName: values.OTEL_SERVICE_NAME ?? 'kindred',
          },
    retention: {
      purgeAfterMs:
        values.KINDRED_PURGE_AFTER_DAYS === 0 ? undefined : values.KINDRED_PURGE_AFTER_DAYS * 24 * 3_600_000,
    },
    logLevel: values.KINDRED_LOG_LEVEL,
    isDemoEnabled: values.KINDRED_DEMO,
    warnings: unknownNames(given),
  };
}

function embedderSettings(
  { prefix: _, ...model }: ModelValues,
  values: VariableValues,
  given: Given,
): EmbedderSettings {
  return {
    ...model,
    modelCacheDir: path.resolve(values.KINDRED_MODEL_CACHE_DIR ?? userCacheFolder(given)),
    npmExecPath: given['npm_execpath'],
  };
}

/** Where this user's programs keep what can be fetched again. */
function userCacheFolder(given: Given): string {
  const xdg = given['XDG_CACHE_HOME'];
  if (xdg !== undefined && path.isAbsolute(xdg)) return path.join(xdg, 'kindred');
  if (process.platform === 'win32' && given['LOCALAPPDATA'] !== undefined) {
    return path.join(given['LOCALAPPDATA'], 'kindred', 'cache');
  }
  return path.join(os.homedir(), '.cache', 'kindred');
}

/** Read by the example client, not by the server. */
const CLIENT_VARIABLES = ['KINDRED_API_KEY', 'KINDRED_URL'];

/** A misspelt name would otherwise be a setting that quietly does nothing. */
function unknownNames(given: Given): string[] {
  return Object.keys(given)
    .filter((name) => name.startsWith('KINDRED_') && !(name in variables) && !CLIENT_VARIABLES.includes(name))
    .map((name) => `${name} is set but is no setting of Kindred; .env.example lists all of them`);
}

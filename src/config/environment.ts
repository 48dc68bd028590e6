import path from 'node:path';
import { DomainError } from '../kernel/errors/domain-error';
import { embedderProblems, embedderSettings, nextEmbedderSettings, type EmbedderSettings } from './embedder-settings';
import { readDotEnv, readVariables, unknownNames, withoutEmpty, type Given } from './read-variables';
import type { VariableValues } from './variables';

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

/** Settings that are right alone but not together. */
function contradictions(values: VariableValues): string[] {
  const problems = embedderProblems(values);
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

function toEnvironment(values: VariableValues, given: Given): Environment {
  const perMinute = values.KINDRED_RATE_LIMIT_PER_MINUTE;
  const signing =
    values.KINDRED_JWT_PUBLIC_KEY ??
    (values.KINDRED_JWT_SECRET === undefined
      ? undefined
      : { key: values.KINDRED_JWT_SECRET, algorithm: 'HS256' as const });
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
    embedder: embedderSettings(values, given),
    next: nextEmbedderSettings(values, given),
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

import { createRequire } from 'node:module';
import pino, { type DestinationStream, type Logger } from 'pino';

export interface LoggerOptions {
  level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /** For people at a terminal; falls back to JSON lines where pino-pretty is not installed. */
  isPretty?: boolean;
  /** Standard output unless given. */
  destination?: DestinationStream;
}

const SECRET_NAMES = [
  'authorization',
  'apiKey',
  'api_key',
  'qdrantApiKey',
  'password',
  'secret',
  'token',
  'databaseUrl',
];

/** At the top of a line, one level in, and in the headers of a request. */
const SECRET_PATHS = [
  ...SECRET_NAMES.flatMap((name) => [name, `*.${name}`]),
  ...['authorization', 'cookie', '["x-api-key"]'].flatMap((name) => {
    const last = name.startsWith('[') ? name : `.${name}`;
    return [`headers${last}`, `req.headers${last}`];
  }),
];

/** One JSON object a line; what is named like a secret is replaced. */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
  };
  const destination = options.destination ?? (options.isPretty === true ? prettyDestination() : undefined);
  return destination === undefined ? pino(settings) : pino(settings, destination);
}

function prettyDestination(): DestinationStream | undefined {
  try {
    const pretty = createRequire(__filename)('pino-pretty') as (options: object) => DestinationStream;
    return pretty({ colorize: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss', sync: true });
  } catch {
    return undefined;
  }
}

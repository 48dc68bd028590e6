import { Client, type Connection, type Submittable } from 'pg';

export interface DatabaseAddress {
  host: string;
  port: number;
  user: string;
  database: string;
}

/** Every statement ends by itself, so that a writer cannot hold a run up. */
const STATEMENT_TIMEOUT_MS = 8_000;

export async function connect(address: DatabaseAddress, applicationName: string): Promise<Client> {
  const client = new Client({
    ...address,
    application_name: applicationName,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    connectionTimeoutMillis: 3_000,
    query_timeout: 2 * STATEMENT_TIMEOUT_MS,
  });
  // A connection that breaks while nothing is asked is noticed by the next query.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Ends a connection at once, whatever is under way on it. */
export function abandon(client: Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** Whether PostgreSQL itself said no, so that the transaction has certainly not been committed. */
export function isRefusal(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P|XX)/.test(code);
}

/** `COPY … FROM STDIN`, which `pg` leaves to extensions. @param lines in COPY's text format */
export function copyIn(client: Client, statement: string, lines: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const copy = {
      /** The client puts here what ends the timer of `query_timeout`. */
      callback: undefined as (() => void) | undefined,
      submit: (connection: Connection) => connection.query(statement),
      handleCopyInResponse: (connection: Connection) => {
        const wire = connection as unknown as { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void };
        wire.sendCopyFromChunk(Buffer.from(lines.map((line) => `${line}\n`).join('')));
        wire.endCopyFrom();
      },
      handleCommandComplete: () => undefined,
      handleError: (error: Error) => {
        copy.callback?.();
        reject(error);
      },
      handleReadyForQuery: () => {
        copy.callback?.();
        resolve();
      },
    };
    client.query(copy as unknown as Submittable);
  });
}

/** A value in COPY's text format. */
export function copyValue(value: string | null): string {
  if (value === null) return '\\N';
  return value.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}

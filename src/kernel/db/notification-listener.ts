import { Client, type Pool } from 'pg';

import type { Logger } from '../logging/logger';

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;

/**
 * Listens on one channel with a connection of its own, and connects again when it is lost. Notifications sent while it
 * is away are missed, so `onNotify` is also called after every connection.
 */
export class NotificationListener {
  private client: Client | undefined;
  private retry: NodeJS.Timeout | undefined;
  private failures = 0;
  private isClosed = false;
  private connecting: Promise<void> = Promise.resolve();

  constructor(
    private readonly pool: Pool,
    private readonly channel: string,
    private readonly onNotify: (payload: string | undefined) => void,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.connecting = this.connect();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.retry);
    await this.connecting;
    const { client } = this;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const client = new Client(this.pool.options);
    // One report a client: an error and the end that follows it are one loss.
    let isLost = false;
    const onLoss = (error?: Error): void => {
      if (isLost) return;
      isLost = true;
      if (this.client === client) this.client = undefined;
      void client.end().catch(() => undefined);
      this.reconnect(error);
    };
    client.on('error', onLoss);
    client.on('end', () => onLoss());
    client.on('notification', (message) => this.onNotify(message.payload));
    try {
      await client.connect();
      await client.query(`LISTEN ${client.escapeIdentifier(this.channel)}`);
      if (isLost) return;
      this.client = client;
      this.failures = 0;
      this.onNotify(undefined);
    } catch (error) {
      onLoss(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private reconnect(error: Error | undefined): void {
    if (this.isClosed) return;
    const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures++);
    this.logger.warn({ err: error, channel: this.channel, delayMs }, 'lost the connection that listens; trying again');
    this.retry = setTimeout(() => {
      this.connecting = this.connect();
    }, delayMs);
  }
}

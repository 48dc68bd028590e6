import { readFileSync } from 'node:fs';
import path from 'node:path';

import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../../src/adapters/embedded-postgres';

/** The faults are ended processes, not lost power: what was handed to the system survives without being flushed. */
const SETTINGS = { fsync: 'off', full_page_writes: 'off', shared_buffers: '64MB', max_connections: '80' };

/** A PostgreSQL server that can be shut down and crashed, and comes back with what it had committed. */
export class ChaosDatabase {
  private server: EmbeddedPostgres | undefined;

  constructor(private readonly dataDir: string) {}

  /** Where it listens at the moment. */
  get socket(): string | undefined {
    const connection = this.server?.connection;
    return connection && path.join(connection.host, `.s.PGSQL.${connection.port}`);
  }

  get role(): { user: string; database: string } {
    const { user, database } = this.server?.connection ?? { user: 'kindred', database: 'kindred' };
    return { user, database };
  }

  async start(): Promise<void> {
    this.server = await startEmbeddedPostgres({ dataDir: this.dataDir, settings: SETTINGS });
  }

  /** Ends sessions, writes a checkpoint, starts again. */
  async restart(): Promise<void> {
    await this.server?.stop();
    await this.start();
  }

  /** Ends as in a crash, and recovers from the write-ahead log. */
  async crash(): Promise<void> {
    const { server } = this;
    const [pid] = readFileSync(path.join(this.dataDir, 'cluster', 'postmaster.pid'), 'utf8').split('\n');
    process.kill(Number(pid), 'SIGQUIT');
    await server?.exited;
    await this.start();
  }

  async stop(): Promise<void> {
    await this.server?.stop();
  }
}

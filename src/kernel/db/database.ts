import { SpanKind } from '@opentelemetry/api';
import type { Pool, PoolClient } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';

import { activeTraceParent, inSpan, type SpanFacts } from '../telemetry/tracing';
import { databaseUnavailable, toDomainError } from './database-errors';
import { DomainError } from '../errors/domain-error';

export type SqlValue = unknown;

const SETTINGS = "SELECT set_config('kindred.actor', $1, true), set_config('kindred.priority', $2, true)";
const DATABASE_SPAN: SpanFacts = { kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'postgresql' } };

/** Runs one statement. `name` makes it a prepared statement of the connection, for statements that run often. */
export interface SqlRunner {
  query<Row extends object>(sql: string, values?: readonly SqlValue[], name?: string): Promise<Row[]>;
}

export interface TransactionSettings {
  /** Who is recorded as the writer. */
  actor?: string;
  /** Bulk work goes behind what someone may be waiting for. */
  isBulk?: boolean;
  /** Only reads, and sees the database as it was at its first statement. */
  isSnapshot?: boolean;
}

export interface Transaction extends SqlRunner {
  /** TypeORM's view of the same transaction. */
  readonly manager: EntityManager;
  /** Calls `undo` should the transaction come to nothing, or nobody know what came of it. */
  onRollback(undo: () => void): void;
}

/** Called after each statement; tests count round trips with it, metrics time them. */
export type StatementObserver = (statement: { sql: string; durationMs: number; rowCount: number }) => void;

/** PostgreSQL as the kernel uses it: raw parameterised SQL for reads, TypeORM inside transactions for writes. */
export class Database implements SqlRunner {
  private readonly observers = new Set<StatementObserver>();

  constructor(readonly dataSource: DataSource) {}

  /** The driver's own pool; TypeORM and raw statements share its connections. */
  get pool(): Pool {
    return (this.dataSource.driver as unknown as { master: Pool }).master;
  }

  observe(observer: StatementObserver): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  async query<Row extends object>(sql: string, values: readonly SqlValue[] = [], name?: string): Promise<Row[]> {
    const startedAt = performance.now();
    try {
      const result = await this.pool.query<Row>({ text: sql, values: [...values], name });
      this.report(sql, startedAt, result.rows.length);
      return result.rows;
    } catch (error) {
      throw toDomainError(error);
    }
  }

  /**
   * Runs `work` in one transaction: all of it or nothing.
   * @throws DomainError for constraint violations and lost connections; other errors of `work` pass through
   */
  async transaction<T>(settings: TransactionSettings, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    let isLost = false;
    const onLoss = (): void => void (isLost = true);
    let client: PoolClient | undefined;
    const undoing: (() => void)[] = [];
    try {
      const run = async (manager: EntityManager): Promise<T> => {
        const values = [settings.actor ?? '', settings.isBulk === true ? '1' : '0'];
        // Events that this transaction captures continue its trace.
        const traceParent = activeTraceParent();
        if (traceParent === undefined) await manager.query(SETTINGS, values);
        else await manager.query(`${SETTINGS}, set_config('kindred.traceparent', $3, true)`, [...values, traceParent]);
        const connection = (manager.queryRunner as unknown as { databaseConnection: PoolClient }).databaseConnection;
        client = connection.once('error', onLoss);
        return work({
          manager,
          query: async <Row extends object>(sql: string, values: readonly SqlValue[] = [], name?: string) => {
            const startedAt = performance.now();
            const result = await connection.query<Row>({ text: sql, values: [...values], name });
            this.report(sql, startedAt, result.rows.length);
            return result.rows;
          },
          onRollback: (undo) => void undoing.push(undo),
        });
      };
      return await inSpan('transaction', DATABASE_SPAN, () => {
        if (settings.isSnapshot !== true) return this.dataSource.transaction(run);
        return this.dataSource.transaction('REPEATABLE READ', async (manager) => {
          await manager.query('SET TRANSACTION READ ONLY');
          return run(manager);
        });
      });
    } catch (error) {
      for (const undo of undoing) undo();
      const told = toDomainError(error);
      // Libraries above the driver meet a lost connection in ways of their own.
      throw isLost && !(told instanceof DomainError) ? databaseUnavailable(error) : told;
    } finally {
      client?.off('error', onLoss);
    }
  }

  /**
   * Runs `work` with a connection of its own, for what belongs to a session: locks that outlast transactions, say.
   * @throws DATABASE_UNAVAILABLE the connection was lost while something was asked of it
   */
  async session<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    // The pool listens only to connections that lie in it, and one that nobody listens to ends the process when it is lost.
    let loss: Error | undefined;
    const onLoss = (error: Error): void => void (loss = error);
    client.on('error', onLoss);
    try {
      return await work(client);
    } catch (error) {
      throw toDomainError(error);
    } finally {
      client.off('error', onLoss);
      client.release(loss);
    }
  }

  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }

  private report(sql: string, startedAt: number, rowCount: number): void {
    if (this.observers.size === 0) return;
    const durationMs = performance.now() - startedAt;
    for (const observer of this.observers) observer({ sql, durationMs, rowCount });
  }
}

import type { Transaction } from '../kernel/db/database';
import { isLockNotAvailable } from '../kernel/db/database-errors';
import { DomainError } from '../kernel/errors/domain-error';

export interface LockOptions {
  /** How long to wait for transactions that use the table; everybody else waits as long behind it. */
  lockTimeoutMs?: number;
}

const LOCK_TIMEOUT_MS = 5_000;

/** Runs a statement that needs the table for itself. */
export async function lock(transaction: Transaction, statement: string, options: LockOptions): Promise<void> {
  await transaction.query(`SELECT set_config('lock_timeout', $1, true)`, [
    `${options.lockTimeoutMs ?? LOCK_TIMEOUT_MS}ms`,
  ]);
  await transaction.query(statement);
  await transaction.query(`SELECT set_config('lock_timeout', '0', true)`);
}

/** @throws CONFLICT when the table is in use for too long */
export async function locking<T>(options: LockOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isLockNotAvailable(error)) throw error;
    throw new DomainError(
      'CONFLICT',
      `Other transactions used the table for more than ${options.lockTimeoutMs ?? LOCK_TIMEOUT_MS} ms; nothing was changed. Try again, or wait longer with --lock-timeout.`,
      { retryable: true },
    );
  }
}

import { describe, expect, it } from '@jest/globals';
import { QueryFailedError, QueryRunnerAlreadyReleasedError, TransactionNotStartedError } from 'typeorm';
import { QueryRunnerProviderAlreadyReleasedError } from 'typeorm/error/QueryRunnerProviderAlreadyReleasedError';

import { toDomainError } from '../../src/kernel/db/database-errors';
import { DomainError } from '../../src/kernel/errors/domain-error';

const coded = (code: string, message = 'something'): Error => Object.assign(new Error(message), { code });
const failed = (error: Error): Error => new QueryFailedError('SELECT 1', [], error);

describe('an error of the database', () => {
  it.each([
    ['57P01', 'terminating connection due to administrator command'],
    ['57P02', 'terminating connection because of crash of another server process'],
    ['57P03', 'the database system is starting up'],
    ['57P05', 'terminating connection due to idle-session timeout'],
    ['08000', 'connection exception'],
    ['08001', 'could not establish connection'],
    ['08003', 'connection does not exist'],
    ['08006', 'connection failure'],
    ['08P01', 'server conn crashed?'],
    ['25006', 'cannot execute UPDATE in a read-only transaction'],
    ['25P03', 'terminating connection due to idle-in-transaction timeout'],
    ['53300', 'sorry, too many clients already'],
    ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432'],
    ['ECONNRESET', 'read ECONNRESET'],
    ['ECONNABORTED', 'write ECONNABORTED'],
    ['EPIPE', 'This socket has been ended by the other party'],
    ['ETIMEDOUT', 'connect ETIMEDOUT'],
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND db'],
    ['EAI_AGAIN', 'getaddrinfo EAI_AGAIN db'],
    ['ENETUNREACH', 'connect ENETUNREACH'],
    ['ENOENT', 'connect ENOENT /run/.s.PGSQL.5432'],
    ['ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed'],
    ['ERR_STREAM_WRITE_AFTER_END', 'write after end'],
  ])('with the code %s says that the database does not answer', (code, message) => {
    const expected = { code: 'DATABASE_UNAVAILABLE', retryable: true };
    expect(toDomainError(coded(code, message))).toMatchObject(expected);
    expect(toDomainError(failed(coded(code, message)))).toMatchObject(expected);
  });

  it.each([
    new Error('Connection terminated'),
    new Error('Connection terminated unexpectedly'),
    new Error('Connection terminated due to connection timeout'),
    new Error('Client has encountered a connection error and is not queryable'),
    new Error('Client was closed and is not queryable'),
    new Error('timeout exceeded when trying to connect'),
    new Error('timeout expired'),
    new Error('Query read timeout'),
    new Error('Cannot use a pool after calling end on the pool'),
    new Error('Received unexpected commandComplete message from backend.'),
    new Error('Received unexpected rowDescription message from backend.'),
    new QueryRunnerAlreadyReleasedError(),
    new QueryRunnerProviderAlreadyReleasedError(),
    new TransactionNotStartedError(),
    Object.assign(new AggregateError([coded('ECONNREFUSED')], ''), { code: 'ECONNREFUSED' }),
  ])('without a code says so too: %s', (error) => {
    expect(toDomainError(error)).toMatchObject({ code: 'DATABASE_UNAVAILABLE', retryable: true });
    expect(toDomainError(failed(error))).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  });

  it('shows clients nothing of where the database is', () => {
    const error = toDomainError(coded('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.7:5432'));
    expect((error as DomainError).message).not.toContain('10.0.0.7');
  });

  it.each(['40001', '40P01'])('%s is a conflict that another try may win', (code) => {
    expect(toDomainError(failed(coded(code)))).toMatchObject({ code: 'CONFLICT', retryable: true });
  });

  it('that nobody expects, or that is coded already, stays what it is', () => {
    const unexpected = failed(coded('42P01', 'relation "x" does not exist'));
    expect(toDomainError(unexpected)).toBe(unexpected);
    const ours = new DomainError('NOT_FOUND', 'There is none.');
    expect(toDomainError(ours)).toBe(ours);
    expect(toDomainError('thrown text')).toBe('thrown text');
    const fault = new TypeError('x is not a function');
    expect(toDomainError(fault)).toBe(fault);
  });
});

import { describe, expect, it } from '@jest/globals';
import { explainServerFailure } from '../../src/adapters/embedded-postgres/failures';
import { DomainError } from '../../src/kernel/errors/domain-error';

describe('what a failing server says', () => {
  it.each([
    [['FATAL:  could not write to file "x": No space left on device'], 'DATABASE_UNAVAILABLE', /disk.*full/],
    [['initdb: error: could not look up effective user ID 4711: user does not exist'], 'CONFIGURATION', /passwd/],
    [['FATAL:  data directory "/d" has wrong ownership'], 'CONFIGURATION', /permission denied/],
    [['LOG:  starting', 'FATAL:  invalid value', 'LOG:  shut down'], 'DATABASE_UNAVAILABLE', /FATAL: {2}invalid value/],
    [[], 'DATABASE_UNAVAILABLE', /without a word/],
  ])('%j becomes %s', (output, code, message) => {
    const error = explainServerFailure('start', '/data/cluster', output);
    expect(error).toBeInstanceOf(DomainError);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });
});

import { describe, expect, it } from '@jest/globals';
import { DomainError } from '../../src/kernel/errors/domain-error';
import { explainFileError } from '../../src/kernel/process/file-error';

describe('what the file system refuses', () => {
  it.each([
    ['EACCES', 'CONFIGURATION', false],
    ['EROFS', 'CONFIGURATION', false],
    ['ENOSPC', 'DATABASE_UNAVAILABLE', true],
  ])('%s becomes %s', (systemCode, code, retryable) => {
    const cause = Object.assign(new Error('system'), { code: systemCode });
    const error = explainFileError(cause, 'create the database', '/data/cluster');
    expect(error).toMatchObject({ code, retryable, cause });
    expect(error.message).toContain('/data/cluster');
  });

  it('leaves an error alone that already says what is wrong, or that it does not know', () => {
    const known = new DomainError('CONFLICT', 'taken');
    const unknown = new Error('strange');
    expect(explainFileError(known, 'x', '/y')).toBe(known);
    expect(explainFileError(unknown, 'x', '/y')).toBe(unknown);
  });
});

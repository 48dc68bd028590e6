import { describe, expect, it } from '@jest/globals';
import { createLogger } from '../../src/http/logger';
import { LogLines } from '../support/http-server';

describe('a log line', () => {
  it('is JSON with level and time, and never has a secret', () => {
    const log = new LogLines();
    const logger = createLogger({ level: 'info', destination: log });
    const secret = 'sk-secret';
    logger.info(
      { apiKey: secret, qdrant: { apiKey: secret }, headers: { authorization: secret, 'x-api-key': secret } },
      'a',
    );
    logger.info(
      { req: { headers: { cookie: secret, authorization: secret, accept: 'kept' } }, databaseUrl: secret },
      'b',
    );
    logger.debug('not at this level');
    expect(log.lines).toHaveLength(2);
    expect(log.lines[0]).toMatchObject({ level: 'info', msg: 'a', time: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(JSON.stringify(log.lines)).not.toContain(secret);
    expect(JSON.stringify(log.lines)).toContain('kept');
  });
});

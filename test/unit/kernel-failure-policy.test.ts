import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { DomainError } from '../../src/kernel/errors/domain-error';
import {
  ModelRejectedError,
  ModelThrottledError,
  ModelUnavailableError,
  TextTooLongError,
} from '../../src/kernel/model/embedder';
import { backOffMs, describeError, failureOf, isPermanent, outageOf } from '../../src/kernel/outbox/failure-policy';
import { Pump } from '../../src/kernel/outbox/pump';
import { defaultRelaySettings } from '../../src/kernel/outbox/relay-settings';
import { VectorStoreRejectedError, VectorStoreUnavailableError } from '../../src/kernel/vector/vector-store.errors';
import { eventually, recordingLogger } from '../support/write-path';

describe('the pause before another attempt', () => {
  it('doubles with each, up to a limit, and is spread over its upper half', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempts, random) => {
        const full = Math.min(300_000, 1_000 * 2 ** (attempts - 1));
        const pauseMs = backOffMs(attempts, 1_000, 300_000, () => random);
        expect(pauseMs).toBeGreaterThanOrEqual(Math.floor(full / 2));
        expect(pauseMs).toBeLessThanOrEqual(full);
      }),
    );
    expect([1, 2, 3, 4].map((attempts) => backOffMs(attempts, 1_000, 300_000, () => 1))).toEqual([
      1_000, 2_000, 4_000, 8_000,
    ]);
  });
});

describe('an error', () => {
  it.each([
    ['a refused text', new ModelRejectedError('no'), true],
    ['a text that is too long', new TextTooLongError(0, 'too long'), true],
    ['a point that the server refuses', new VectorStoreRejectedError('bad point', 400), true],
    ['a conflict that may pass', new DomainError('CONFLICT', 'met', { retryable: true }), false],
    ['a fault of ours', new Error('bug'), false],
    ['a fault of ours with a code', new DomainError('INTERNAL', 'bug'), false],
  ])('of %s is permanent: %p', (_, error, expected) => {
    expect(isPermanent(error)).toBe(expected);
    const failure = failureOf(error, 0, defaultRelaySettings);
    expect(failure).toMatchObject({ attempts: 1, isDead: expected, ...describeError(error) });
  });

  it('is given up after the last attempt, whatever it is', () => {
    const { maxAttempts } = defaultRelaySettings;
    expect(failureOf(new Error('bug'), maxAttempts - 2, defaultRelaySettings).isDead).toBe(false);
    expect(failureOf(new Error('bug'), maxAttempts - 1, defaultRelaySettings).isDead).toBe(true);
  });

  it.each([
    ['a throttling model', new ModelThrottledError('wait', 1234)],
    ['a model that is down for a while', new ModelUnavailableError('wait', undefined, 1234)],
    ['a throttling vector server', new VectorStoreUnavailableError('wait', 1234)],
  ])('of %s is an outage for as long as it asks', (_, error) => {
    expect(outageOf(error)?.retryAfterMs).toBe(1234);
  });
});

describe('a pump', () => {
  it('pauses for as long as the failing part asks', async () => {
    const logger = recordingLogger();
    let calls = 0;
    const pump = new Pump({
      name: 'point',
      pollMs: 10,
      outageBaseMs: 1,
      outageMaxMs: 2,
      logger,
      steps: [
        () => {
          calls += 1;
          return Promise.reject(new ModelThrottledError('wait', 60_000));
        },
      ],
    });
    pump.start();
    await eventually(() => expect(logger.lines).toHaveLength(1));
    pump.wake();
    await pump.stop();
    expect(calls).toBe(1);
    expect(logger.lines[0]?.fields).toMatchObject({ delayMs: 60_000, code: 'MODEL_THROTTLED' });
  });

  it('pauses for as long as is asked, although another loop has paused for less', async () => {
    const logger = recordingLogger();
    const ASKED_MS = 1e12; // More than a timer can count.
    let failLater: (error: Error) => void = () => undefined;
    let calls = 0;
    const failing = (failure: Promise<never>) => () => {
      calls += 1;
      return failure;
    };
    const pump = new Pump({
      name: 'point',
      pollMs: 10,
      outageBaseMs: 60_000,
      outageMaxMs: 60_000,
      logger,
      steps: [
        failing(Promise.reject(new ModelUnavailableError('down'))),
        failing(new Promise((_, reject) => (failLater = reject))),
      ],
    });
    pump.start();
    await eventually(() => expect(logger.lines).toHaveLength(1));
    failLater(new ModelThrottledError('wait', ASKED_MS));
    await eventually(() => expect(logger.lines).toHaveLength(2));
    await pump.stop();
    expect(logger.lines[1]?.fields).toMatchObject({ delayMs: ASKED_MS, code: 'MODEL_THROTTLED' });
    expect(calls).toBe(2);
  });

  it('is well again when the last work was done beside the failure, and nothing is left to try', async () => {
    const logger = recordingLogger();
    let succeed: (hadWork: boolean) => void = () => undefined;
    let fail: (error: Error) => void = () => undefined;
    const onceThenIdle = (first: Promise<boolean>) => {
      let calls = 0;
      return () => (calls++ === 0 ? first : Promise.resolve(false));
    };
    const pump = new Pump({
      name: 'point',
      pollMs: 5,
      outageBaseMs: 20,
      outageMaxMs: 20,
      logger,
      steps: [
        onceThenIdle(new Promise((_, reject) => (fail = reject))),
        onceThenIdle(new Promise((resolve) => (succeed = resolve))),
      ],
    });
    pump.start();
    fail(new ModelThrottledError('wait', 20));
    await eventually(() => expect(pump.outage?.code).toBe('MODEL_THROTTLED'));
    succeed(true);
    await eventually(() => expect(pump.outage).toBeUndefined());
    await pump.stop();
  });
});

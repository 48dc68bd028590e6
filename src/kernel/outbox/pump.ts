import { setMaxListeners } from 'node:events';

import type { Logger } from '../logging/logger';
import { backOffMs, describeError, outageOf } from './failure-policy';

export interface PumpOptions {
  name: string;
  pollMs: number;
  outageBaseMs: number;
  outageMaxMs: number;
  logger: Logger;
  /** One loop each. */
  steps: readonly PumpStep[];
}

/** A part may ask for more than a timer can count. */
const LONGEST_SLEEP_MS = 3_600_000;

/**
 * Takes one batch and works on it.
 * @returns whether there was any, so that there may be more
 * @throws OutageError to pause
 */
export type PumpStep = () => Promise<boolean>;

/**
 * Runs each of `steps` in a loop: again at once while there is work, otherwise when woken or after `pollMs`. An outage
 * pauses all loops, longer each time, until a step succeeds.
 */
export class Pump {
  readonly name: string;
  private readonly stopping = new AbortController();
  /** Those that sleep, by what they do. */
  private readonly sleepers = new Map<PumpStep, Set<() => void>>();
  private loops: Promise<unknown> = Promise.resolve();
  /** Grows with each wake, so that one that comes between a claim and the sleep after it is not missed. */
  private wakes = 0;
  private outages = 0;
  private resumeAt = 0;
  /** Whether a step has done some work since the last failure. */
  private hasWorked = false;

  constructor(private readonly options: PumpOptions) {
    this.name = options.name;
    setMaxListeners(0, this.stopping.signal);
  }

  start(): void {
    this.loops = Promise.all(this.options.steps.map((step) => this.loop(step)));
  }

  /**
   * One loop of each sort looks for work. Whoever finds some is to wake the next; where there is none, the others need
   * not ask as well.
   */
  wake(): void {
    this.wakes++;
    if (performance.now() < this.resumeAt) return;
    for (const sleepers of this.sleepers.values()) {
      const [rouse] = sleepers;
      rouse?.();
    }
  }

  /** What has kept it from working, since when; undefined while it works. */
  outage: { code: string; message: string; since: Date } | undefined;

  /** Starts nothing new; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    for (const sleepers of this.sleepers.values()) for (const rouse of [...sleepers]) rouse();
    await this.loops;
  }

  private async loop(step: PumpStep): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const pauseMs = this.resumeAt - performance.now();
      if (pauseMs > 0) {
        await this.sleep(step, pauseMs);
        continue;
      }
      const wakesBefore = this.wakes;
      try {
        const hadWork = await step();
        // Finding nothing due proves that the database answers, not that the vector server or the model does.
        this.hasWorked ||= hadWork;
        if (this.hasWorked || this.outage?.code === 'DATABASE_UNAVAILABLE') this.recover();
        if (!hadWork && this.wakes === wakesBefore) await this.sleep(step, this.options.pollMs);
      } catch (error) {
        this.pause(error);
      }
    }
  }

  private recover(): void {
    if (!this.outage) return;
    // A step that began before the outage says nothing about its end, until nothing is left to try.
    if (performance.now() < this.resumeAt) return;
    this.options.logger.info({ pump: this.options.name }, 'works again');
    this.outage = undefined;
    this.outages = 0;
  }

  private pause(error: unknown): void {
    const { name, outageBaseMs, outageMaxMs, logger } = this.options;
    this.hasWorked = false;
    const now = performance.now();
    const outage = outageOf(error);
    // Another loop has paused already; what a failing part asks for counts all the same.
    if (now < this.resumeAt && now + (outage?.retryAfterMs ?? 0) <= this.resumeAt) return;
    this.outages++;
    const delayMs = outage?.retryAfterMs ?? backOffMs(this.outages, outageBaseMs, outageMaxMs);
    this.resumeAt = now + delayMs;
    const described = describeError(outage?.cause ?? error);
    this.outage = { ...described, since: this.outage?.since ?? new Date() };
    // An outage explains itself; anything else is a fault of ours, whose stack is needed.
    const fields = outage ? { pump: name, delayMs, ...described } : { pump: name, delayMs, err: error };
    logger.warn(fields, 'cannot work now; trying again');
  }

  private sleep(step: PumpStep, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const sleepers = this.sleepers.get(step) ?? new Set();
      this.sleepers.set(step, sleepers);
      const rouse = (): void => {
        clearTimeout(timer);
        sleepers.delete(rouse);
        resolve();
      };
      const timer = setTimeout(rouse, Math.min(ms, LONGEST_SLEEP_MS));
      sleepers.add(rouse);
      if (this.stopping.signal.aborted) rouse();
    });
  }
}

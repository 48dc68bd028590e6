import diagnostics from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { TestEnvironment as NodeEnvironment } from 'jest-environment-node';

/** Closing a socket or a process takes the system a moment after the call that asked for it, and a busy one longer. */
const SETTLE_DEADLINE_MS = 15_000;

/** Sockets, servers, child processes and watchers that keep this process alive now. */
function activeHandles(): object[] {
  // Undocumented, but it names the objects themselves: counts cannot tell a leak from what the runner has just closed.
  return (process as unknown as { _getActiveHandles(): object[] })._getActiveHandles();
}

/** What it is, and what tells it from others of its sort. */
function describe(leak: object): string {
  const { pid, spawnargs, remoteAddress, remotePort, localPort, _idleTimeout } = leak as Record<string, unknown>;
  const facts = [
    spawnargs && `process ${String(pid)}: ${(spawnargs as string[]).join(' ')}`,
    remoteAddress && `to ${String(remoteAddress)}:${String(remotePort)}`,
    localPort && `from port ${String(localPort)}`,
    _idleTimeout && `of ${String(_idleTimeout)} ms`,
  ].filter(Boolean);
  return facts.length === 0 ? leak.constructor.name : `${leak.constructor.name} (${facts.join(', ')})`;
}

/** Node's test environment, which additionally fails a test file that leaves open what it has opened. */
export default class LeakCheckingEnvironment extends NodeEnvironment {
  private readonly handlesBefore = new WeakSet<object>();
  private timers = new Set<NodeJS.Timeout>();
  private readonly runningWorkers = new Set<Worker>();

  /** Threads are not among Node's active handles, but it announces each. */
  private readonly onWorker = (message: unknown): void => {
    const { worker } = message as { worker: Worker };
    this.runningWorkers.add(worker);
    worker.once('exit', () => this.runningWorkers.delete(worker));
  };

  override async setup(): Promise<void> {
    await super.setup();
    // Made on first use, and then there for good: what a file prints is no leak of its.
    for (const stream of [process.stdout, process.stderr]) this.handlesBefore.add(stream);
    for (const handle of activeHandles()) this.handlesBefore.add(handle);
    this.global.setTimeout = this.tracked(setTimeout);
    this.global.setInterval = this.tracked(setInterval);
    diagnostics.subscribe('worker_threads', this.onWorker);
  }

  /** Files with many tests make many timers: only the pending ones are worth remembering. */
  handleTestEvent(): void {
    this.timers = new Set(this.pendingTimers());
  }

  override async teardown(): Promise<void> {
    const deadline = Date.now() + SETTLE_DEADLINE_MS;
    let leaked = this.leaked();
    while (leaked.length > 0 && Date.now() < deadline) {
      await delay(20);
      leaked = this.leaked();
    }
    diagnostics.unsubscribe('worker_threads', this.onWorker);
    await Promise.all([...this.runningWorkers].map((worker) => worker.terminate()));
    await super.teardown();
    if (leaked.length > 0) throw new Error(`this test file left open: ${leaked.join(', ')}`);
  }

  private leaked(): string[] {
    const handles = activeHandles().filter((handle) => !this.handlesBefore.has(handle));
    return [...handles, ...this.runningWorkers, ...this.pendingTimers()].map(describe);
  }

  private pendingTimers(): NodeJS.Timeout[] {
    return [...this.timers].filter(
      (timer) => timer.hasRef() && !(timer as unknown as { _destroyed: boolean })._destroyed,
    );
  }

  /** Active timers can only be counted, and the runner's own come and go: so the file's are noted as they are made. */
  private tracked<T extends typeof setTimeout | typeof setInterval>(start: T): T {
    const tracking = (...args: Parameters<typeof setTimeout>): NodeJS.Timeout => {
      const timer = start(...args);
      this.timers.add(timer);
      return timer;
    };
    return Object.defineProperties(tracking, Object.getOwnPropertyDescriptors(start)) as unknown as T;
  }
}

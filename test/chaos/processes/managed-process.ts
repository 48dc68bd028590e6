import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export interface ManagedProcessOptions {
  name: string;
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  logFile: string;
  /** How long it stays away after it has ended; asked each time. */
  restartAfterMs: () => number;
  /** Called with each line of its standard output, and each message. */
  onLine?: (line: string) => void;
  onMessage?: (message: unknown) => void;
  onExit?: (signal: NodeJS.Signals | null) => void;
}

/** A process that is started again whenever it ends, as a service manager does. */
export class ManagedProcess {
  private child: ChildProcess | undefined;
  private readonly log: WriteStream;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly options: ManagedProcessOptions) {
    this.log = createWriteStream(options.logFile, { flags: 'a' });
    // A full disk ends what is kept of a run, not the run.
    this.log.on('error', () => undefined);
  }

  start(): void {
    this.running ??= this.run();
  }

  get isRunning(): boolean {
    return this.child !== undefined;
  }

  /** @returns whether there was anything to signal */
  signal(signal: NodeJS.Signals): boolean {
    return this.child?.kill(signal) ?? false;
  }

  tell(message: object): void {
    if (this.child?.connected) this.child.send(message, () => undefined);
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.stopping.abort();
    this.child?.kill('SIGCONT');
    this.child?.kill(signal);
    await this.running;
    await new Promise((resolve) => this.log.end(resolve));
  }

  private async run(): Promise<void> {
    const { args, env, restartAfterMs, onExit } = this.options;
    const { signal: stop } = this.stopping;
    while (!stop.aborted) {
      const child = spawn(process.execPath, [...args], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
      this.child = child;
      this.follow(child);
      // Not `once`, which also rejects when the process cannot even be started: it is started again all the same.
      const signal = await new Promise<NodeJS.Signals | null>((resolve) => {
        child.on('close', (_code, by) => resolve(by));
      });
      this.child = undefined;
      this.log.write(`-- ended by ${signal ?? 'itself'}\n`);
      onExit?.(signal);
      await delay(restartAfterMs(), undefined, { signal: stop }).catch(() => undefined);
    }
  }

  private follow(child: ChildProcess): void {
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.options.onLine?.(line);
    });
    child.stderr?.pipe(this.log, { end: false });
    child.on('message', (message) => this.options.onMessage?.(message));
    child.on('error', (error) => this.log.write(`${error.message}\n`));
  }
}

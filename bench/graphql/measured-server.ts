import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Pool } from 'undici';

const ROOT = path.resolve(__dirname, '..', '..');
const CPU_REPORT = path.join(__dirname, 'cpu-report.js');
const START_TIMEOUT_MS = 60_000;

export interface Load {
  /** Milliseconds of processor time a request, of all of the server's threads. */
  cpuMs: number;
  perSecond: number;
  /** Of each request, in milliseconds. */
  latencies: number[];
}

/** A server in a process of its own, whose processor time is read before and after it is put under load. */
export class MeasuredServer {
  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
    private readonly pool: Pool,
  ) {}

  /**
   * @param readUrl finds the server's address in what it prints; without it the server sends `{ url }` to its parent
   * @param profileDir writes a processor profile there when the server ends
   */
  static async start(options: {
    name: string;
    file: string;
    args?: string[];
    execArgv?: string[];
    env: NodeJS.ProcessEnv;
    readUrl?: RegExp;
    connections: number;
    profileDir?: string;
  }): Promise<MeasuredServer> {
    const profile = options.profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profileDir}`];
    const child = fork(path.join(ROOT, options.file), options.args ?? [], {
      cwd: ROOT,
      execArgv: ['-r', CPU_REPORT, ...(options.execArgv ?? []), ...profile],
      env: { ...process.env, ...options.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${options.name} did not start`)), START_TIMEOUT_MS);
      child.once('exit', (code) => reject(new Error(`${options.name} ended with code ${code}`)));
      let printed = '';
      const found = (url: string | undefined): void => {
        if (url === undefined) return;
        clearTimeout(timer);
        resolve(url);
      };
      child.stdout?.on('data', (data: Buffer) => {
        printed += data.toString();
        found(options.readUrl?.exec(printed)?.[1]);
      });
      if (!options.readUrl) child.once('message', (message: { url?: string }) => found(message.url));
    });
    const pool = new Pool(url, { connections: options.connections });
    return new MeasuredServer(options.name, child, pool);
  }

  async post(route: string, body: string): Promise<string> {
    const answer = await this.pool.request({
      method: 'POST',
      path: route,
      headers: { 'content-type': 'application/json' },
      body,
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${this.name}: ${answer.statusCode} ${text.slice(0, 300)}`);
    return text;
  }

  /** Sends `count` requests, `atOnce` of them at a time. */
  async load(route: string, bodies: readonly string[], count: number, atOnce: number): Promise<Load> {
    const latencies: number[] = [];
    let next = 0;
    const before = await this.cpu();
    const startedAt = performance.now();
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        while (next < count) {
          const body = bodies[next++ % bodies.length] as string;
          const sentAt = performance.now();
          await this.post(route, body);
          latencies.push(performance.now() - sentAt);
        }
      }),
    );
    const seconds = (performance.now() - startedAt) / 1000;
    return { cpuMs: ((await this.cpu()) - before) / count, perSecond: count / seconds, latencies };
  }

  async close(): Promise<void> {
    await this.pool.close();
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await exited;
  }

  /** Milliseconds used so far. */
  private async cpu(): Promise<number> {
    const answer = new Promise<number>((resolve) => {
      const listen = (message: { cpu?: NodeJS.CpuUsage }): void => {
        if (!message.cpu) return;
        this.child.off('message', listen);
        resolve((message.cpu.user + message.cpu.system) / 1000);
      };
      this.child.on('message', listen);
    });
    this.child.send('cpu');
    return answer;
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach } from '@jest/globals';

const root = path.resolve(__dirname, '../../../..');

const SCRIPT = `
  const { startEmbeddedQdrant } = require(process.argv[1]);
  startEmbeddedQdrant({ dataDir: process.argv[2] }).then(
    (server) => console.log(String(server.port)),
    (error) => { console.log(error.code + ' ' + error.message); process.exitCode = 1; },
  );
`;

/** A server in a process of its own, which can be killed. */
export interface ServerProcess {
  /** 0 when it did not start. */
  port: number;
  /** The first line that it printed: its port, or why it did not start. */
  line: string;
  kill(): Promise<void>;
}

/** Starts servers; whatever a failed test leaves running is killed after it. */
export function useServerProcesses(): (dataDir: string) => Promise<ServerProcess> {
  const running = new Set<() => Promise<void>>();
  afterEach(async () => {
    await Promise.all([...running].map((kill) => kill()));
    running.clear();
  });
  return async (dataDir) => {
    const module = path.join(root, 'dist', 'adapters', 'embedded-qdrant');
    const child: ChildProcess = spawn(process.execPath, ['-e', SCRIPT, module, dataDir], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const kill = async (): Promise<void> => {
      child.kill('SIGKILL');
      await exited;
    };
    running.add(kill);
    let line = '';
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      line += chunk.toString();
      if (line.includes('\n')) break;
    }
    return { port: /^\d+\n/.test(line) ? Number(line) : 0, line: line.trim(), kill };
  };
}

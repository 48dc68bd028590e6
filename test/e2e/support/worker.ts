import { eventually } from './eventually';
import { startProgram, temporaryFolder, type Program } from './program';

/** A `kindred worker` process with its health port open. */
export interface Worker {
  program: Program;
  /** Of its health server. */
  url: string;
}

/** Starts a worker on the stores that `env` names. Resolves once it relays. */
export async function startWorker(env: Record<string, string>): Promise<Worker> {
  const program = startProgram(temporaryFolder(), ['worker', '--health-port', '0'], { env });
  const url = await eventually('the worker to relay', () => {
    if (program.hasEnded()) throw new Error(`the worker ended:\n${program.stderr()}`);
    const logs = program.logs();
    if (!logs.some(({ msg }) => msg === 'relaying')) return undefined;
    return logs.map(({ msg }) => /listening at (http:\S+)/.exec(msg)?.[1]).find((found) => found !== undefined);
  });
  return { program, url };
}

export interface MetricsPage {
  /** Sum of all samples of `kindred_<name>` that have these labels; 0 where there is none. */
  sum(name: string, labels?: Record<string, string>): number;
}

const SAMPLE = /^kindred_(\w+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="([^"]*)"/g;

/** Reads `/metrics` as Prometheus does. */
export async function scrape({ url }: Worker): Promise<MetricsPage> {
  const response = await fetch(`${url}/metrics`);
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
  const samples = (await response.text()).split('\n').flatMap((line) => {
    const found = SAMPLE.exec(line);
    if (!found) return [];
    const labels = Object.fromEntries([...(found[2] ?? '').matchAll(LABEL)].map(([, name, value]) => [name, value]));
    return [{ name: found[1], labels, value: Number(found[3]) }];
  });
  return {
    sum: (name, labels = {}) =>
      samples
        .filter((sample) => sample.name === name)
        .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
        .reduce((sum, { value }) => sum + value, 0),
  };
}

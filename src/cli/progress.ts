import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  update(done: number, total: number): void;
  stop(): void;
}

const LINE_INTERVAL_MS = 5_000;

/** A bar on a terminal; elsewhere a plain line every few seconds. Goes to standard error, so results can be piped. */
export function startProgress(label: string, unit: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? startBar(label, unit, stream) : startLines(label, unit, stream);
}

function startBar(label: string, unit: string, stream: NodeJS.WriteStream): Progress {
  const bar = new SingleBar(
    { format: `  ${label} {bar} {value}/{total} ${unit}`, hideCursor: true, stream, clearOnComplete: false },
    Presets.shades_classic,
  );
  let isStarted = false;
  return {
    update: (done, total) => {
      if (!isStarted) {
        isStarted = true;
        bar.start(total, done);
      }
      bar.setTotal(total);
      bar.update(done);
    },
    stop: () => {
      if (isStarted) bar.stop();
    },
  };
}

function startLines(label: string, unit: string, stream: NodeJS.WriteStream): Progress {
  let lastAt = 0;
  let last = '';
  const print = (line: string): void => {
    if (line === last) return;
    last = line;
    stream.write(`${line}\n`);
  };
  return {
    update: (done, total) => {
      const now = Date.now();
      if (done < total && now - lastAt < LINE_INTERVAL_MS) return;
      lastAt = now;
      print(`${label}: ${done}/${total} ${unit}`);
    },
    stop: () => undefined,
  };
}

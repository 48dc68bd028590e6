import type { Logger } from 'pino';

import { startInstance, type Instance, type InstanceOptions } from '../app/instance';
import { loadEnvironment, type Environment } from '../config/environment';
import { createLogger } from '../http/logger';
import { startProgress, type Progress } from './progress';

export interface Settings {
  environment: Environment;
  logger: Logger;
}

export interface Session extends Settings {
  instance: Instance;
}

/** What is special about a command's start: what must not stop it, and who measures it. */
export type StartOptions = Pick<InstanceOptions, 'isModelChange' | 'isCaptureDamageKnown' | 'isInspection' | 'meter'>;

export function readSettings(): Settings {
  const environment = loadEnvironment();
  const logger = createLogger({
    level: environment.logLevel,
    isPretty: process.stderr.isTTY,
    destination: logStream(),
  });
  for (const warning of environment.warnings) logger.warn(warning);
  return { environment, logger };
}

/** Results go to standard output, so logs go beside it. */
function logStream(): { write(line: string): void } | undefined {
  return process.stderr.isTTY ? undefined : { write: (line: string) => process.stderr.write(line) };
}

/** Starts an instance with a progress bar for what has to be fetched first. */
export async function openSession(
  stores: 'own' | 'attach',
  applicationName: string,
  { environment, logger }: Settings = readSettings(),
  options: StartOptions = {},
): Promise<Session> {
  let bar: Progress | undefined;
  const instance = await startInstance({
    environment,
    logger,
    applicationName,
    stores,
    ...options,
    onFetchProgress: ({ receivedBytes, totalBytes }) => {
      const mebibytes = (bytes: number): number => Math.round(bytes / 1_048_576);
      bar ??= startProgress('Fetching the embedding model (once)', 'MiB');
      bar.update(mebibytes(receivedBytes), mebibytes(totalBytes));
      if (receivedBytes >= totalBytes) bar.stop();
    },
  });
  return { environment, logger, instance };
}

/** Runs `work` in a session of its own and closes it, whatever happens. */
export async function withSession<T>(
  applicationName: string,
  work: (session: Session) => Promise<T>,
  options?: StartOptions,
): Promise<T> {
  const session = await openSession('attach', applicationName, readSettings(), options);
  try {
    return await work(session);
  } finally {
    await session.instance.close();
  }
}

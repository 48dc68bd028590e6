import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { explainFileError } from './file-error';

const runtimeSchema = z.object({
  pid: z.number().int().positive(),
  /** Of the GraphQL endpoint; absent when the instance serves none, as during an import on its own. */
  url: z.string().optional(),
  databaseUrl: z.string(),
  qdrantUrl: z.string(),
  qdrantApiKey: z.string().optional(),
  /** ISO 8601. */
  startedAt: z.string(),
});

/** What a running instance tells other commands on its data folder. Holds credentials: the file is its owner's alone. */
export type Runtime = z.infer<typeof runtimeSchema>;

const fileOf = (dataDir: string): string => path.join(dataDir, 'runtime.json');

/** @returns `undefined` when there is none, or none that can be understood. Says nothing about whether it still runs. */
export function readRuntimeFile(dataDir: string): Runtime | undefined {
  try {
    const parsed = runtimeSchema.safeParse(JSON.parse(readFileSync(fileOf(dataDir), 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Readers see the old file or the new one, never half of either. */
export function writeRuntimeFile(dataDir: string, runtime: Runtime): void {
  const file = fileOf(dataDir);
  const draft = `${file}.${randomUUID()}`;
  try {
    writeFileSync(draft, `${JSON.stringify(runtime, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw explainFileError(error, 'write what runs here', file);
  }
}

export function removeRuntimeFile(dataDir: string): void {
  rmSync(fileOf(dataDir), { force: true });
}

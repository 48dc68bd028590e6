import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { publish } from './binaries';

export interface ClusterContent {
  /** Names the content, e.g. a digest of the migrations: letters, digits and `-`. */
  key: string;
  /** Fills the cluster's database, whose URL it is given, and leaves no connection open. */
  fill(url: string): Promise<void>;
}

/** A template that nobody has used for that long belongs to content that is no more. */
const FORGOTTEN_AFTER_MS = 3 * 24 * 60 * 60 * 1000;

/**
 * The folder of a template cluster that holds `content`; made on first use, from a copy of the empty template.
 * @param emptyTemplate the folder of the empty template; the filled ones lie beside it and are named after it
 * @param make fills a cluster in the folder that it is given and shuts it down cleanly
 */
export async function filledTemplate(
  emptyTemplate: string,
  content: ClusterContent,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const template = `${emptyTemplate}-${content.key}`;
  if (!existsSync(template)) {
    const draft = path.join(path.dirname(template), `.template-${randomUUID()}`);
    try {
      await make(draft);
      await publish(draft, template);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    await removeForgotten(emptyTemplate);
  }
  const now = new Date();
  await utimes(template, now, now);
  return template;
}

async function removeForgotten(emptyTemplate: string): Promise<void> {
  const folder = path.dirname(emptyTemplate);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${path.basename(emptyTemplate)}-`)) continue;
    const { mtimeMs } = await stat(path.join(folder, name));
    if (Date.now() - mtimeMs > FORGOTTEN_AFTER_MS) await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

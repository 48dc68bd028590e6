import { afterAll, afterEach, beforeAll } from '@jest/globals';

import { WritePathServers, type OpenOptions, type WritePath } from './write-path';

/** Servers for the tests of one file; what a test opens on them is closed after it. */
export function useWritePaths(): { open(options?: OpenOptions): Promise<WritePath> } {
  let servers: WritePathServers | undefined;
  const opened: WritePath[] = [];

  beforeAll(async () => {
    servers = await WritePathServers.start();
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((path) => path.close()));
  });

  afterAll(async () => {
    await servers?.close();
  });

  return {
    open: async (options) => {
      if (!servers) throw new Error('a write path can be opened by tests and by beforeEach only');
      const path = await servers.open(options);
      opened.push(path);
      return path;
    },
  };
}

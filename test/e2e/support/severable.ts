import { createServer, connect, type Server, type Socket } from 'node:net';
import type { ListenOptions, NetConnectOpts } from 'node:net';

/** A connection to a server that can be cut and mended, as a network is. */
export interface Severable {
  /** Of the loopback address that leads to the server; 0 for a socket file. */
  port: number;
  /** Ends every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Leaves connections open and accepts new ones, but nothing passes any more. */
  freeze(): void;
  mend(): Promise<void>;
  close(): Promise<void>;
}

/** Passes on what comes in at `where` to the server at `target`. */
export async function severable(where: ListenOptions, target: NetConnectOpts): Promise<Severable> {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  let listenAt = where;
  let server: Server | undefined;

  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('data', (chunk) => {
      if (!isFrozen) to.write(chunk);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const mend = async (): Promise<void> => {
    isFrozen = false;
    if (server !== undefined) return;
    const listening = createServer((near) => {
      const far = connect(target);
      pass(near, far);
      pass(far, near);
    });
    await new Promise<void>((resolve, reject) => {
      listening.once('error', reject);
      listening.listen(listenAt, resolve);
    });
    server = listening;
  };
  const cut = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    const closed = new Promise((resolve) => (closing === undefined ? resolve(undefined) : closing.close(resolve)));
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  await mend();
  const address = server?.address() ?? null;
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  if (port > 0) listenAt = { ...where, port };
  return { port, cut, freeze: () => (isFrozen = true), mend, close: cut };
}

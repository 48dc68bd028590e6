import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import type { Random } from '../../support/random';

interface Connection {
  near: Socket;
  far: Socket;
}

/** Stands before PostgreSQL: a fixed address, however often the server moves, and connections that can fail. */
export class DatabaseProxy {
  private readonly connections = new Set<Connection>();
  private readonly server = createServer((near) => this.accept(near));

  constructor(
    private readonly random: Random,
    /** The server's socket file; undefined while it is down. */
    private readonly target: () => string | undefined,
  ) {}

  async listen(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  /** Breaks a share of the connections. @returns how many */
  cut(share: number): number {
    const cut = this.some(share);
    for (const { near, far } of cut) {
      near.destroy();
      far.destroy();
    }
    return cut.length;
  }

  /** What the server says on a share of the connections no longer arrives; a moment later they break. @returns how many */
  deafen(share: number, afterMs: number): number {
    const deaf = this.some(share);
    for (const { near, far } of deaf) {
      far.unpipe(near);
      far.resume();
      setTimeout(() => near.destroy(), afterMs).unref();
    }
    return deaf.length;
  }

  /** Nothing passes, in neither direction, until `thaw`. */
  freeze(): void {
    for (const { near, far } of this.connections) {
      near.pause();
      far.pause();
    }
  }

  thaw(): void {
    for (const { near, far } of this.connections) {
      near.resume();
      far.resume();
    }
  }

  async close(): Promise<void> {
    this.cut(1);
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  private some(share: number): Connection[] {
    return [...this.connections].filter(() => this.random.chance(share));
  }

  private accept(near: Socket): void {
    near.on('error', () => undefined);
    const path = this.target();
    if (path === undefined) {
      near.destroy();
      return;
    }
    const far = connect({ path });
    far.on('error', () => undefined);
    const connection = { near, far };
    this.connections.add(connection);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.setNoDelay(true);
      socket.on('close', () => {
        this.connections.delete(connection);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}

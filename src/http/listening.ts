import { createServer, isIPv4 } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { DomainError } from '../kernel/errors/domain-error';
import { systemCode } from '../kernel/process/file-error';

/** Whether only programs on this machine can reach `host`. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  if (name === 'localhost' || name === '::1' || name.endsWith('.localhost')) return true;
  const plain = name.replace(/^::ffff:/, '');
  return isIPv4(plain) && plain.startsWith('127.');
}

/**
 * Refuses to be reachable by other machines while everybody counts as admin.
 * @throws DomainError CONFIGURATION
 */
export function refuseUnsafeListen(settings: { host: string; hasAuthentication: boolean }): void {
  if (settings.hasAuthentication || isLoopback(settings.host)) return;
  throw new DomainError(
    'CONFIGURATION',
    `Refusing to listen on ${settings.host} without authentication: whoever reaches it could read and change everything. ` +
      'Configure KINDRED_API_KEYS or KINDRED_JWT_SECRET (see .env.example), or listen on 127.0.0.1.',
  );
}

/**
 * Finds out whether the address can be had now, before anything costly is started for it.
 * @throws DomainError CONFIGURATION as `listen` does
 */
export async function checkAddress(where: { host: string; port: number }): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(where, resolve);
    });
    await new Promise((resolve) => server.close(resolve));
  } catch (error) {
    throw explainListenError(error, where);
  }
}

/**
 * Starts to accept connections.
 * @param port 0 for any free one
 * @returns where the server is reached, without a trailing slash, e.g. `http://127.0.0.1:4000`
 * @throws DomainError CONFIGURATION in one line, when the port or the host cannot be had
 */
export async function listen(app: FastifyInstance, where: { host: string; port: number }): Promise<string> {
  try {
    await app.listen(where);
  } catch (error) {
    throw explainListenError(error, where);
  }
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : where.port;
  return `http://${nameFor(where.host)}:${port}`;
}

function nameFor(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function explainListenError(error: unknown, { host, port }: { host: string; port: number }): unknown {
  const options = { cause: error };
  switch (systemCode(error)) {
    case 'EADDRINUSE':
      return new DomainError(
        'CONFIGURATION',
        `Port ${port} on ${host} is taken by another program. Choose another with PORT, e.g. PORT=${port + 1}.`,
        options,
      );
    case 'EACCES':
      return new DomainError(
        'CONFIGURATION',
        `Port ${port} on ${host} needs more rights than this user has. Choose one above 1023 with PORT, e.g. PORT=4000.`,
        options,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new DomainError(
        'CONFIGURATION',
        `This machine has no address ${host} to listen on. Choose one with HOST, e.g. HOST=127.0.0.1.`,
        options,
      );
    default:
      return error;
  }
}

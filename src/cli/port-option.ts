import { InvalidArgumentError } from 'commander';

const LAST_PORT = 65_535;

/** Reads a port for an option; 0 takes any free one. */
export function portNumber(value: string): number {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 0 || port > LAST_PORT) throw new InvalidArgumentError('0 to 65535.');
  return port;
}

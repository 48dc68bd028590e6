import type { Engine } from '../engine/engine';
import type { Json } from '../json/json-value';
import { QdrantError } from '../qdrant-error';
import type { Decoder } from '../schema/decode';

/** One call as a handler sees it. */
export interface Call {
  engine: Engine;
  /** Path parameters by name, decoded. */
  path: Record<string, string>;
  query: QueryParameters;
  /** `undefined` when there was none. */
  body: Json | undefined;
}

/** JSON text of `result`, now or once it is durable. */
export type Handler = (call: Call) => string | Promise<string>;

export const readBody = <T>(call: Call, decoder: Decoder<T>): T => decoder(call.body, '');

const ORDERINGS = ['weak', 'medium', 'strong'];
const CONSISTENCIES = ['majority', 'quorum', 'all'];

/**
 * The parameters after `?`. `timeout`, `ordering` and `consistency` are checked and change nothing: there is one node,
 * and every operation is carried out in order.
 */
export class QueryParameters {
  constructor(private readonly parameters: URLSearchParams) {}

  /** Whether a write waits until it is durable. */
  get waits(): boolean {
    return this.boolean('wait') ?? false;
  }

  /** @param known names that this call takes */
  check(known: readonly string[]): void {
    for (const name of this.parameters.keys()) {
      if (!known.includes(name)) throw invalidParameter(`unknown parameter \`${name}\``);
    }
    this.oneOf('ordering', ORDERINGS);
    const timeout = this.parameters.get('timeout');
    if (timeout !== null && !/^[1-9]\d*$/.test(timeout))
      throw invalidParameter(`timeout: \`${timeout}\` is no whole number above 0`);
    const consistency = this.parameters.get('consistency');
    if (consistency !== null && !/^\d+$/.test(consistency)) this.oneOf('consistency', CONSISTENCIES);
    this.boolean('wait');
  }

  private boolean(name: string): boolean | undefined {
    const value = this.parameters.get(name);
    if (value === null) return undefined;
    if (value === 'true' || value === 'false') return value === 'true';
    throw new QdrantError(
      400,
      `Deserialize error in query parameters: ${name}: provided string was not \`true\` or \`false\``,
    );
  }

  private oneOf(name: string, allowed: readonly string[]): void {
    const value = this.parameters.get(name);
    if (value === null || allowed.includes(value)) return;
    throw new QdrantError(
      400,
      `Deserialize error in query parameters: ${name}: expected one of ${allowed.join(', ')}, got ${value}`,
    );
  }
}

const invalidParameter = (message: string): QdrantError =>
  new QdrantError(422, `Validation error in query parameters: [${message}]`);

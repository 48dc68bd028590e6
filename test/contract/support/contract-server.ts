import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import type * as qdrant from '@qdrant/js-client-rest' with { 'resolution-mode': 'import' };
import { startEmbeddedQdrant } from '../../../src/adapters/embedded-qdrant';

export type QdrantClient = qdrant.QdrantClient;
export type Schemas = qdrant.Schemas;

// The package has a CommonJS build, but its types speak for the ES module only.
const { QdrantClient: Client } = createRequire(__filename)('@qdrant/js-client-rest') as typeof qdrant;

export interface HttpAnswer<T = unknown> {
  status: number;
  headers: Headers;
  body: { result?: T; status: 'ok' | { error: string }; time: number };
}

/** The server under contract: the embedded one, or whichever `QDRANT_URL` names. */
export interface ContractServer {
  readonly url: string;
  readonly hasApiKey: boolean;
  /** What every raw request carries. */
  readonly headers: Record<string, string>;
  /** The official client. */
  readonly client: QdrantClient;
  /** A name that no other collection or alias has; removed after the file. */
  freshName(): string;
  /** Creates a collection under a fresh name. */
  create(config: Schemas['CreateCollection']): Promise<string>;
  /** Raw HTTP, where the client would hide a status, a header or a spelling. A string body is sent as it stands. */
  http<T>(method: string, path: string, body?: unknown): Promise<HttpAnswer<T>>;
}

/**
 * Starts or connects before the tests of a file; drops that file's collections and closes after them.
 * @param embeddedApiKey the key that the embedded server asks for; a real one has its own, in `QDRANT_API_KEY`
 */
export function useContractServer(embeddedApiKey?: string): ContractServer {
  const names = new Set<string>();
  let url = '';
  let client: QdrantClient | undefined;
  let release: () => Promise<void> = () => Promise.resolve();
  const realUrl = process.env.QDRANT_URL;
  const apiKey = realUrl ? process.env.QDRANT_API_KEY : embeddedApiKey;
  const keyHeader: Record<string, string> = apiKey ? { 'api-key': apiKey } : {};

  beforeAll(async () => {
    if (realUrl) {
      url = realUrl.replace(/\/+$/, '');
    } else {
      const dataDir = await mkdtemp(join(tmpdir(), 'kindred-contract-'));
      const server = await startEmbeddedQdrant({ dataDir, ...(apiKey ? { apiKey } : {}) });
      url = server.url.replace(/\/+$/, '');
      release = async () => {
        await server.close();
        await rm(dataDir, { recursive: true, force: true });
      };
    }
    // As a header: given as `apiKey`, the client prints a warning about plain HTTP at every start.
    client = new Client({ url, checkCompatibility: false, headers: keyHeader });
  });

  const server: ContractServer = {
    hasApiKey: Boolean(apiKey),
    headers: { 'content-type': 'application/json', ...keyHeader },
    get url() {
      return url;
    },
    get client() {
      if (!client) throw new Error('The contract server is not started yet: use it inside a test or a hook');
      return client;
    },
    freshName() {
      const name = `contract_${randomUUID().replaceAll('-', '')}`;
      names.add(name);
      return name;
    },
    async create(config) {
      const name = server.freshName();
      const answer = await server.http('PUT', `/collections/${name}`, config);
      if (answer.status !== 200) throw new Error(`PUT /collections/${name}: ${JSON.stringify(answer.body)}`);
      return name;
    },
    async http<T>(method: string, path: string, body?: unknown) {
      const response = await fetch(url + path, {
        method,
        headers: server.headers,
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const parsed = text === '' ? {} : (JSON.parse(text) as HttpAnswer<T>['body']);
      return { status: response.status, headers: response.headers, body: parsed as HttpAnswer<T>['body'] };
    },
  };

  afterAll(async () => {
    for (const name of names) await server.http('DELETE', `/collections/${name}`);
    await release();
  });
  return server;
}

/** The sentence of a failure, for `toMatch`. */
export function errorOf(answer: HttpAnswer): string {
  return typeof answer.body.status === 'object' ? answer.body.status.error : `(no error: ${answer.status})`;
}

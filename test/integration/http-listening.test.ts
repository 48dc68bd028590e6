import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import http from 'node:http';
import { buildTestServer, slowCalls } from '../support/http-server';

const HOST = '127.0.0.1';

function ask(url: string, query: string, agent?: http.Agent): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      `${url}/graphql`,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => resolve({ status: answer.statusCode, text }));
        answer.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(JSON.stringify({ query }));
  });
}

describe('a listening server', () => {
  it('says in one line that its port is taken, and how to take another', async () => {
    const first = await buildTestServer();
    const second = await buildTestServer();
    try {
      const url = await first.listen({ host: HOST, port: 0 });
      const port = Number(new URL(url).port);
      const refused = second.listen({ host: HOST, port });
      await expect(refused).rejects.toMatchObject({
        code: 'CONFIGURATION',
        message: `Port ${port} on ${HOST} is taken by another program. Choose another with PORT, e.g. PORT=${port + 1}.`,
      });
      await expect(second.listen({ host: '0.0.0.0', port: 0 })).rejects.toMatchObject({ code: 'CONFIGURATION' });
      await expect(second.listen({ host: 'localhost.invalid', port: 0 })).rejects.toMatchObject({
        code: 'CONFIGURATION',
      });
    } finally {
      await Promise.all([first.close(), second.close()]);
    }
  });

  it('lets running requests end when it closes, and takes no new ones', async () => {
    const server = await buildTestServer();
    const agent = new http.Agent({ keepAlive: true });
    const url = await server.listen({ host: HOST, port: 0 });
    await ask(url, '{ whoAmI }', agent);
    const begun = once(slowCalls, 'begin');
    const running = ask(url, '{ slow }', agent);
    await begun;
    const closed = server.close();
    await expect(ask(url, '{ whoAmI }')).rejects.toThrow(/ECONNREFUSED/);
    slowCalls.emit('end');
    expect(await running).toEqual({ status: 200, text: expect.stringContaining('done') });
    await closed;
    await server.close();
    agent.destroy();
  });

  it('cuts off at its deadline what does not end', async () => {
    const server = await buildTestServer();
    const url = await server.listen({ host: HOST, port: 0 });
    const begun = once(slowCalls, 'begin');
    const running = ask(url, '{ slow }');
    const cut = expect(running).rejects.toThrow(/socket hang up|ECONNRESET/);
    await begun;
    const closed = server.close(50);
    await cut;
    slowCalls.emit('end');
    await closed;
  });
});

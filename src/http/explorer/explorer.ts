import fs from 'node:fs';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { entryFile } from '../../kernel/process/entry-file';
import { readOperations } from './operations';

export interface Explorer {
  /** Sends the page. */
  answer(request: FastifyRequest, reply: FastifyReply): FastifyReply;
}

const SANDBOX_SCRIPTS = 'https://embeddable-sandbox.cdn.apollographql.com';
const SANDBOX_FRAME = 'https://sandbox.embed.apollographql.com';

/** The page and its scripts come from here; Apollo's sandbox adds one script and one frame. */
const CONTENT_SECURITY = [
  "default-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  `script-src 'self' ${SANDBOX_SCRIPTS}`,
  // Both explorers' editors set styles from script.
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "connect-src 'self'",
  `frame-src ${SANDBOX_FRAME}`,
].join('; ');

/** Whether a browser opens the address, in contrast to a program that sends an operation by GET. */
export function wantsPage(request: FastifyRequest): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const query = request.query as Record<string, unknown>;
  return request.headers.accept?.includes('text/html') === true && !('query' in query) && !('extensions' in query);
}

/**
 * Serves the files of the page that a browser gets at the GraphQL address: Apollo Sandbox when the browser reaches it,
 * else GraphiQL from this server, in both cases with operations ready to run.
 */
export async function mountExplorer(app: FastifyInstance): Promise<Explorer> {
  const folder = path.join(__dirname, 'page');
  // The build puts GraphiQL and React beside the page, so from the sources they are found in its result.
  const vendor = path.join(path.dirname(entryFile(__filename, './explorer')), 'page', 'vendor');
  const page = fs.readFileSync(path.join(folder, 'index.html'), 'utf8');
  const operations = readOperations(path.join(__dirname, 'operations'));
  const headers = { 'content-security-policy': CONTENT_SECURITY, 'cache-control': 'no-cache' };

  await app.register(
    async (scope) => {
      scope.get('/operations.json', { config: { rateLimit: false } }, (_request, reply) =>
        reply.headers(headers).send(operations),
      );
      await scope.register(fastifyStatic, { root: folder, serve: false });
      for (const [file, from] of [
        ['explorer.js', folder],
        ['explorer.css', folder],
        ['react.production.min.js', vendor],
        ['react-dom.production.min.js', vendor],
        ['graphiql.min.js', vendor],
        ['graphiql.min.css', vendor],
      ] as const) {
        scope.get(`/${file}`, { config: { rateLimit: false } }, (_request, reply) =>
          reply.headers(headers).sendFile(file, from, { cacheControl: false }),
        );
      }
    },
    { prefix: '/explorer' },
  );

  return {
    answer: (request, reply) =>
      reply
        .headers(headers)
        .type('text/html; charset=utf-8')
        .send(page.replace('{{endpoint}}', endpointOf(request))),
  };
}

/** As the browser knows this server; a host that could be anything but a name and a port is not repeated. */
function endpointOf(request: FastifyRequest): string {
  const host = /^[\w.:[\]-]+$/.test(request.host) ? request.host : 'localhost:4000';
  return `${request.protocol}://${host}/graphql`;
}

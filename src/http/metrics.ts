import type { FastifyInstance } from 'fastify';
import type { Authenticate } from './authentication';

/** What a process counts of itself, as whoever collects it wants it. */
export interface MetricsPage {
  contentType: string;
  read(): Promise<string>;
}

/** `/metrics`, for every caller that is known: they name no record, but say how much there is and how busy it is. */
export function mountMetrics(app: FastifyInstance, page: MetricsPage, authenticate: Authenticate): void {
  app.get('/metrics', async (request, reply) => {
    authenticate(request.headers);
    return reply.type(page.contentType).send(await page.read());
  });
}

/**
 * The floor: what one would write by hand for the three answers alone. Fastify, prepared statements on `pg`, a keep-alive
 * pool to the vector server, as many statements and vector requests as the answer needs (Q1 one and one, Q2 three and one,
 * Q3 one), and objects made for `JSON.stringify`. It reads the same request bodies and gives the same bytes of data.
 * No schema, no checks, no limits, no errors, one caller: what Kindred does beyond it is what is paid for.
 */
import fastify from 'fastify';
import { Pool as PostgresPool } from 'pg';
import { Pool as HttpPool } from 'undici';

const { DATABASE_URL, QDRANT_URL } = process.env as { DATABASE_URL: string; QDRANT_URL: string };
const postgres = new PostgresPool({ connectionString: DATABASE_URL, max: 20 });
const qdrant = new HttpPool(QDRANT_URL, { connections: 32 });

interface Hit {
  score: number;
  payload: { entity_id: number };
}

interface Body {
  variables: { vector: number[]; after: string };
}

const globalId = (type: string, id: number): string => Buffer.from(`${type}:${id}`).toString('base64');
const cursorOf = (kind: string, id: number): string =>
  Buffer.from(JSON.stringify([`${kind}:id:asc`, [String(id), id]])).toString('base64url');
const idIn = (cursor: string): number =>
  (JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string, [string, number]])[1][1];

async function rows<Row extends object>(name: string, text: string, values: unknown[]): Promise<Row[]> {
  return (await postgres.query<Row>({ name, text, values })).rows;
}

const headers = { 'content-type': 'application/json' };
const FILTER = {
  must: [
    { key: 'embedding_type', match: { value: 'full_description' } },
    { key: 'archived', match: { value: false } },
  ],
};

/** Twice as many chunks as records, since one record may have several. */
const search = (query: unknown, first: number): object => ({
  query,
  using: 'dense',
  limit: (first + 1) * 2,
  with_payload: ['entity_id'],
  filter: FILTER,
});

async function jobHits(searches: object[]): Promise<Hit[][]> {
  const answer = await qdrant.request({
    method: 'POST',
    path: '/collections/kindred_job_description/points/query/batch',
    headers,
    body: JSON.stringify({ searches }),
  });
  const { result } = JSON.parse(await answer.body.text()) as { result: { points: Hit[] }[] };
  return result.map(({ points }) => {
    const seen = new Set<number>();
    return points.filter(({ payload: { entity_id: id } }) => !seen.has(id) && seen.add(id));
  });
}

const app = fastify();

interface JobRow {
  id: number;
  title: string;
  company: string;
  location: string;
  employment_type: string;
}

app.post<{ Body: Body }>('/q1', async (request, reply) => {
  const [found = []] = await jobHits([search(request.body.variables.vector, 10)]);
  const hits = found.slice(0, 11);
  const jobs = await rows<JobRow>(
    'q1',
    'SELECT id, title, company, location, employment_type FROM job_descriptions WHERE id = ANY($1::int[]) AND archived_at IS NULL',
    [hits.map((hit) => hit.payload.entity_id)],
  );
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const present = hits.filter((hit) => byId.has(hit.payload.entity_id));
  const edges = present.slice(0, 10).map((hit) => {
    const job = byId.get(hit.payload.entity_id) as JobRow;
    const { title, company, location } = job;
    const id = globalId('JobDescription', job.id);
    return { score: hit.score, node: { id, title, company, location, employmentType: job.employment_type } };
  });
  void reply.type('application/json');
  return JSON.stringify({ data: { searchJobs: { edges, pageInfo: { hasNextPage: present.length > 10 } } } });
});

interface ProfileRow {
  id: number;
  name: string;
  headline: string;
}

interface EmbeddingRow {
  id: number;
  profile_id: number;
  embedding_type: string;
  chunk_index: number;
  text: string;
  qdrant_point_id: string;
  content_hash: string;
}

app.post<{ Body: Body }>('/q2', async (request, reply) => {
  const profiles = await rows<ProfileRow>(
    'q2_profiles',
    'SELECT id, name, headline FROM profiles WHERE id > $1 AND archived_at IS NULL ORDER BY id LIMIT 21',
    [idIn(request.body.variables.after)],
  );
  const hasNextPage = profiles.length > 20;
  if (hasNextPage) profiles.pop();
  const embeddings = await rows<EmbeddingRow>(
    'q2_embeddings',
    `SELECT id, profile_id, embedding_type, chunk_index, text, qdrant_point_id, content_hash FROM profile_embeddings
     WHERE profile_id = ANY($1::int[]) ORDER BY profile_id, embedding_type, chunk_index`,
    [profiles.map((profile) => profile.id)],
  );
  const byProfile = new Map<number, EmbeddingRow[]>(profiles.map((profile) => [profile.id, []]));
  for (const row of embeddings) byProfile.get(row.profile_id)?.push(row);
  const lookup = { collection: 'kindred_profile', vector: 'dense' };
  const found = await jobHits(
    profiles.map((profile) => {
      const whole = byProfile.get(profile.id)?.find((row) => row.embedding_type === 'full_profile');
      return { ...search(whole?.qdrant_point_id, 5), lookup_from: lookup };
    }),
  );
  const ids = new Set(found.flatMap((hits) => hits.slice(0, 6).map((hit) => hit.payload.entity_id)));
  const jobs = await rows<JobRow>(
    'q2_jobs',
    'SELECT id, title, company FROM job_descriptions WHERE id = ANY($1::int[]) AND archived_at IS NULL',
    [[...ids]],
  );
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const nodes = profiles.map((profile, i) => ({
    id: globalId('Profile', profile.id),
    name: profile.name,
    headline: profile.headline,
    embeddings: byProfile.get(profile.id)?.map((row) => ({
      id: globalId('ProfileEmbedding', row.id),
      embeddingType: row.embedding_type,
      chunkIndex: row.chunk_index,
      text: row.text,
      qdrantPointId: row.qdrant_point_id,
      contentHash: row.content_hash,
    })),
    matchingJobs: {
      edges: (found[i] ?? [])
        .filter((hit) => byId.has(hit.payload.entity_id))
        .slice(0, 5)
        .map((hit) => {
          const job = byId.get(hit.payload.entity_id) as JobRow;
          return {
            score: hit.score,
            node: { id: globalId('JobDescription', job.id), title: job.title, company: job.company },
          };
        }),
    },
  }));
  const last = profiles.at(-1);
  const pageInfo = { hasNextPage, endCursor: last ? cursorOf('profile', last.id) : null };
  void reply.type('application/json');
  return JSON.stringify({ data: { profiles: { nodes, pageInfo } } });
});

interface ListedJob extends JobRow {
  role: string;
  industry: string;
  created_at: Date;
}

app.post<{ Body: Body }>('/q3', async (request, reply) => {
  const jobs = await rows<ListedJob>(
    'q3',
    `SELECT id, title, company, location, role, industry, employment_type, created_at FROM job_descriptions
     WHERE id > $1 AND archived_at IS NULL ORDER BY id LIMIT 101`,
    [idIn(request.body.variables.after)],
  );
  const hasNextPage = jobs.length > 100;
  if (hasNextPage) jobs.pop();
  const nodes = jobs.map((job) => ({
    id: globalId('JobDescription', job.id),
    title: job.title,
    company: job.company,
    location: job.location,
    role: job.role,
    industry: job.industry,
    employmentType: job.employment_type,
    createdAt: job.created_at,
  }));
  const last = jobs.at(-1);
  const pageInfo = { hasNextPage, endCursor: last ? cursorOf('job_description', last.id) : null };
  void reply.type('application/json');
  return JSON.stringify({ data: { jobs: { nodes, pageInfo } } });
});

void app.listen({ port: 0, host: '127.0.0.1' }).then((url) => process.send?.({ url }));

process.once('SIGTERM', () => process.exit(0));

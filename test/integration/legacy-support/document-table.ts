import { randomUUID } from 'node:crypto';

import type { TestApp } from '../../../src/testing/create-test-app';

/** The document's own table, in PostgreSQL's types. */
export const DOCUMENT_TABLE = `CREATE TABLE vector_embeddings (
  id SERIAL PRIMARY KEY,
  uuid UUID UNIQUE NOT NULL DEFAULT gen_random_uuid(),
  entity_type VARCHAR(50) NOT NULL,
  entity_id INTEGER NOT NULL,
  qdrant_point_id UUID UNIQUE NOT NULL,
  embedding_type VARCHAR(50) NOT NULL,
  chunk_index INTEGER DEFAULT 0,
  metadata_json TEXT,
  created_at TIMESTAMP DEFAULT NOW(),
  updated_at TIMESTAMP DEFAULT NOW()
)`;

/** What the document starts from: nothing but a reference and a point. */
export const BARE_TABLE = `CREATE TABLE vector_embeddings (
  id INTEGER PRIMARY KEY,
  entity_type TEXT,
  entity_id INTEGER,
  qdrant_point_id UUID
)`;

export type Sql = <Row extends object = Record<string, unknown>>(sql: string, values?: unknown[]) => Promise<Row[]>;

export const sqlOf =
  (app: TestApp): Sql =>
  (sql, values) =>
    app.core.database.query(sql, values);

/** One record of each of the seven kinds, and more profiles; ids by kind. */
export async function seedRecords(sql: Sql, profiles = 5): Promise<Record<string, number[]>> {
  const ids = async (statement: string, values?: unknown[]): Promise<number[]> =>
    (await sql<{ id: number }>(statement, values)).map(({ id }) => id);
  const profile = await ids(
    `INSERT INTO profiles (name, headline, summary)
     SELECT 'Person ' || n, 'Keeper of bees', 'Looks after hive number ' || n FROM generate_series(1, $1) n RETURNING id`,
    [profiles],
  );
  const owner = profile[0];
  const job = await ids(
    `INSERT INTO job_descriptions (title, description) VALUES ('Beekeeper', 'Bees on the roof.'), ('Baker', 'Bread by night.') RETURNING id`,
  );
  return {
    profile,
    job_description: job,
    generated_resume: await ids(
      `INSERT INTO generated_resumes (profile_id, job_description_id, title, content) VALUES ($1, $2, 'Resume', 'A resume') RETURNING id`,
      [owner, job[0]],
    ),
    work_experience: await ids(
      `INSERT INTO work_experiences (profile_id, title, company) VALUES ($1, 'Keeper', 'Hives') RETURNING id`,
      [owner],
    ),
    project: await ids(`INSERT INTO projects (profile_id, name) VALUES ($1, 'Rooftop') RETURNING id`, [owner]),
    education: await ids(`INSERT INTO educations (profile_id, institution) VALUES ($1, 'College') RETURNING id`, [
      owner,
    ]),
    skill: await ids(`INSERT INTO skills (profile_id, name) VALUES ($1, 'Bees') RETURNING id`, [owner]),
  };
}

/** A Qdrant collection as another program may have made it: one unnamed vector, its own payload. */
export class ForeignCollection {
  constructor(
    private readonly app: TestApp,
    readonly name: string,
    readonly vectorName?: string,
  ) {}

  async request(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.app.qdrantUrl}/collections/${this.name}${path}`, {
      method,
      headers: { 'content-type': 'application/json', connection: 'close', 'api-key': process.env.QDRANT_API_KEY ?? '' },
      body: body && JSON.stringify(body),
    });
    const answer = (await response.json()) as { result: unknown };
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer.result;
  }

  async create(dimensions = this.app.core.embedder.model.dimensions, distance = 'Cosine'): Promise<void> {
    const params = { size: dimensions, distance };
    await this.request('PUT', '', { vectors: this.vectorName === undefined ? params : { [this.vectorName]: params } });
  }

  /** @returns the vectors by id, of length one */
  async put(
    ids: readonly string[],
    dimensions = this.app.core.embedder.model.dimensions,
  ): Promise<Map<string, number[]>> {
    const vectors = new Map(ids.map((id) => [id, unit(dimensions)]));
    const points = ids.map((id) => {
      const vector = vectors.get(id) as number[];
      return {
        id,
        vector: this.vectorName === undefined ? vector : { [this.vectorName]: vector },
        payload: { old: true },
      };
    });
    for (let at = 0; at < points.length; at += 500) {
      await this.request('PUT', '/points?wait=true', { points: points.slice(at, at + 500) });
    }
    return vectors;
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.request('POST', '/points/delete?wait=true', { points: [...ids] });
  }

  async drop(): Promise<void> {
    await this.request('DELETE', '');
  }
}

function unit(dimensions: number): number[] {
  const values = Array.from({ length: dimensions }, () => Math.random() - 0.5);
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

export const newPoints = (count: number): string[] => Array.from({ length: count }, () => randomUUID());

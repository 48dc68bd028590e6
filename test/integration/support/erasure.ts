import type { TestApp } from '../../../src/testing/create-test-app';
import { dataOf } from '../../support/results';

export const ERASE = `mutation ($id: ID!, $timeoutMs: Int) { eraseProfile(id: $id, timeoutMs: $timeoutMs) {
  erasedId
  removed { rows ledgerEntries events deadLetters points cachedTexts }
  found { rows ledgerEntries events deadLetters points cachedTexts lexicalHits vectorHits }
} }`;

export const NOTHING = {
  rows: 0,
  ledgerEntries: 0,
  events: 0,
  deadLetters: 0,
  points: 0,
  cachedTexts: 0,
  lexicalHits: 0,
  vectorHits: 0,
};

export interface Erased {
  eraseProfile: { erasedId: string; removed: Record<string, number>; found: Record<string, number> };
}

/** A person with everything that a person can have, and a resume. @returns the global id */
export async function createPerson(app: TestApp, name: string): Promise<string> {
  const created = await app.executeOperation<{ createProfile: { profile: { id: string } } }>(
    'mutation ($input: CreateProfileInput!) { createProfile(input: $input) { profile { id } } }',
    {
      input: {
        name,
        headline: `${name} sails`,
        summary: `${name} has sailed for years.`,
        location: 'Bergen',
        skills: [{ name: `Knots of ${name}` }],
        workExperiences: [{ title: 'Mate', description: `${name} on a brig.`, skillsUsed: ['Ropes'] }],
        projects: [{ name: `Raft of ${name}`, technologies: ['Wood'] }],
        educations: [{ institution: `School of ${name}` }],
      },
    },
  );
  const { id } = dataOf(created).createProfile.profile;
  const resume = await app.executeOperation(
    'mutation ($input: CreateResumeInput!) { createResume(input: $input) { syncToken } }',
    { input: { profileId: id, title: `Resume of ${name}`, content: `${name} applies.` } },
  );
  dataOf(resume);
  return id;
}

/** Every text of every table of the database that is not the program's own, as one. */
export async function everything(app: TestApp): Promise<string> {
  const tables = await app.core.database.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
  );
  const parts = await Promise.all(
    tables.map(async ({ name }) => JSON.stringify(await app.core.database.query(`SELECT * FROM ${name}`))),
  );
  return parts.join('\n');
}

/** Every point's payload in every collection. */
export async function everyPayload(app: TestApp): Promise<string> {
  const pages = await Promise.all(
    (await app.core.store.listCollections())
      .filter((name) => name.startsWith(app.core.catalog.alias('')))
      .map((name) => app.core.store.scroll(name, { limit: 10_000, payload: true })),
  );
  return JSON.stringify(pages);
}

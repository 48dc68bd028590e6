import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { createDeterministicEmbedder } from '../../src/adapters/deterministic-model';
import type { TestApp } from '../../src/testing/create-test-app';
import { toGlobalId } from '../../src/kernel/record/global-id';
import { Random } from '../support/random';
import { startApp } from '../support/app';
import { TagClient } from './support/tag-client';

/** No two share half of their words, so none passes for another one, edited. */
const TEXTS = [
  'harbour lantern violin orchard',
  'glacier compass bakery falcon',
  'meadow turbine archive canal',
  'harbour glacier meadow ember',
  'lantern compass turbine quarry',
  'violin bakery archive ember',
];
const WORDS = [...new Set(TEXTS.flatMap((text) => text.split(' ')))];
const SCHEMES = ['general', 'other'];
const STEPS = 40;
const TOLERANCE = 3e-5;

interface Tag {
  id: number;
  text: string;
  scheme: string;
  parentId: number | null;
  isArchived: boolean;
  threshold: number;
  usageCount: number;
  maxTags: number;
  isImplying: boolean;
}

interface Row {
  text: string;
  tagId: number;
  status: string;
  isImplied: boolean;
}

let app: TestApp;
let client: TagClient;
const embedder = createDeterministicEmbedder();
/** What people decided about each text, whether the story has it now or not. */
const decided = new Map(TEXTS.map((text) => [text, new Map<number, string>()]));

const sql = <T extends object>(statement: string, values: unknown[] = []): Promise<T[]> =>
  app.core.database.query<T>(statement, values);
const tagId = (id: number): string => toGlobalId('TagConcept', id);
const isDecided = ({ status, isImplied }: Row): boolean =>
  status === 'rejected' || (status === 'accepted' && !isImplied);

beforeAll(async () => {
  app = await startApp();
  client = new TagClient(app);
});

afterAll(async () => {
  await app.close();
});

const readTags = (): Promise<Tag[]> =>
  sql(`SELECT tag.id, row.text, tag.scheme, tag.parent_id AS "parentId", tag.archived_at IS NOT NULL AS "isArchived",
         coalesce(tag.threshold, scheme.threshold) AS threshold, tag.usage_count AS "usageCount",
         scheme.max_tags AS "maxTags", scheme.implies_parents AS "isImplying"
       FROM tag_concepts tag JOIN tag_schemes scheme ON scheme.name = tag.scheme
       JOIN tag_concept_embeddings row ON row.tag_concept_id = tag.id ORDER BY tag.id`);

const readRows = (): Promise<Row[]> =>
  sql(`SELECT chunk.text, a.tag_concept_id AS "tagId", a.status, a.is_implied AS "isImplied"
       FROM story_chunk_tags a JOIN story_chunk_embeddings chunk ON chunk.id = a.story_chunk_id ORDER BY 1, 2`);

async function cosines(tags: readonly Tag[], text: string): Promise<Map<number, number>> {
  const [own, ...vectors] = await embedder.embed([text, ...tags.map((tag) => tag.text)], { purpose: 'document' });
  const cosine = (vector: Float32Array): number => vector.reduce((sum, value, i) => sum + value * (own?.[i] ?? 0), 0);
  return new Map(tags.map(({ id }, i) => [id, cosine(vectors[i] ?? new Float32Array())]));
}

/** Everything that is on the texts of the story, against what should be, worked out from the rules alone. */
async function check(): Promise<void> {
  await app.settle();
  expect(await sql('SELECT topic, kind, error FROM outbox_events WHERE dead_at IS NOT NULL')).toEqual([]);
  const tags = await readTags();
  const tagOf = new Map(tags.map((tag) => [tag.id, tag]));
  const all = await readRows();
  const above = (id: number | null | undefined): number[] =>
    id == null ? [] : [id, ...above(tagOf.get(id)?.parentId)];
  for (const { text } of await sql<{ text: string }>('SELECT text FROM story_chunk_embeddings')) {
    const rows = all.filter((row) => row.text === text);
    const own = rows.filter(isDecided);
    expect(new Map(own.map((row) => [row.tagId, row.status]))).toEqual(decided.get(text));
    const scores = await cosines(tags, text);
    for (const scheme of SCHEMES) {
      const inScheme = tags.filter((tag) => tag.scheme === scheme);
      const isIn = (row: Row): boolean => tagOf.get(row.tagId)?.scheme === scheme;
      const taken = own.filter((row) => isIn(row) && row.status === 'accepted').length;
      const places = Math.max(0, (inScheme[0]?.maxTags ?? 0) - taken);
      // What a person decided, or is implied by what a person accepted, is no candidate.
      const isClosed = ({ id }: Tag): boolean =>
        rows.some((row) => row.tagId === id && (isDecided(row) || row.status === 'accepted'));
      const candidates = inScheme
        .filter((tag) => !tag.isArchived && !isClosed(tag) && (scores.get(tag.id) ?? -1) > tag.threshold)
        .map(({ id }) => scores.get(id) ?? -1)
        .sort((a, b) => b - a);
      const suggested = rows.filter((row) => isIn(row) && !isDecided(row) && !row.isImplied);
      const found = suggested.map((row) => scores.get(row.tagId) ?? -1).sort((a, b) => b - a);
      expect(found).toHaveLength(Math.min(places, candidates.length));
      // Of equals any may be there.
      for (const [i, score] of found.entries()) expect(Math.abs(score - (candidates[i] ?? 2))).toBeLessThan(TOLERANCE);
    }
    const direct = rows.filter((row) => !row.isImplied);
    const implied = new Map<number, string>();
    for (const { tagId: id, status } of direct.filter((row) => row.status !== 'rejected')) {
      if (!tagOf.get(id)?.isImplying) continue;
      for (const broader of above(tagOf.get(id)?.parentId)) {
        if (tagOf.get(broader)?.isArchived || direct.some((row) => row.tagId === broader)) continue;
        if (implied.get(broader) !== 'accepted') implied.set(broader, status);
      }
    }
    expect(new Map(rows.filter((row) => row.isImplied).map((row) => [row.tagId, row.status]))).toEqual(implied);
  }
  for (const tag of tags) {
    const uses = all.filter((row) => row.tagId === tag.id && row.status !== 'rejected');
    expect([tag.id, tag.usageCount]).toEqual([tag.id, uses.length]);
  }
}

/** One random operation, and what it means for decisions. */
class Operations {
  private names = 0;

  constructor(
    private readonly random: Random,
    private readonly story: string,
  ) {}

  async rewrite(): Promise<void> {
    const texts = TEXTS.map((text) => ({ text, order: this.random.next() })).sort((a, b) => a.order - b.order);
    const content = texts.slice(0, this.random.int(1, TEXTS.length)).map(({ text }) => text);
    await client.ask(
      'mutation ($id: ID!, $input: UpdateStoryInput!) { updateStory(id: $id, input: $input) { syncToken } }',
      {
        id: this.story,
        input: { content: content.join('\n\n') },
      },
    );
  }

  async create(): Promise<void> {
    const parent = this.random.chance(0.6) ? await this.anyTag() : undefined;
    await client.createTag({
      name: `${this.random.pick(WORDS)} ${++this.names}`,
      description: `${this.random.pick(WORDS)} ${this.random.pick(WORDS)}`,
      scheme: this.random.pick(SCHEMES),
      parentId: parent === undefined ? null : tagId(parent),
    });
  }

  async change(): Promise<void> {
    const id = await this.anyTag();
    if (id === undefined) return;
    const description = `${this.random.pick(WORDS)} ${this.random.pick(WORDS)}`;
    const input = this.random.pick([
      { description },
      { scheme: this.random.pick(SCHEMES) },
      { threshold: this.random.pick([null, 0.2, 0.6]) },
    ]);
    await client.updateTag(tagId(id), input);
  }

  async move(): Promise<void> {
    const [id, parent] = [await this.anyTag(), await this.anyTag()];
    if (id === undefined || parent === undefined) return;
    await app.executeOperation('mutation ($id: ID!, $p: ID) { moveTag(id: $id, parentId: $p) { id } }', {
      id: tagId(id),
      p: this.random.chance(0.2) ? null : tagId(parent),
    });
  }

  async merge(): Promise<void> {
    const [source, target] = [await this.anyTag(), await this.anyTag()];
    if (source === undefined || target === undefined) return;
    const { errors } = await app.executeOperation(
      'mutation ($s: ID!, $t: ID!) { mergeTags(sourceId: $s, targetId: $t) { aliases } }',
      { s: tagId(source), t: tagId(target) },
    );
    if (errors) return expect(['TAG_CYCLE', 'BAD_INPUT']).toContain(errors[0]?.extensions?.code);
    for (const tags of decided.values()) {
      const status = tags.get(source);
      if (status !== undefined && !tags.has(target)) tags.set(target, status);
      tags.delete(source);
    }
  }

  async archive(): Promise<void> {
    const tag = (await readTags()).find(() => this.random.chance(0.3));
    if (!tag) return;
    const mutation = tag.isArchived ? 'restoreTag' : 'archiveTag';
    await client.ask(`mutation ($id: ID!) { ${mutation}(id: $id) { syncToken } }`, { id: tagId(tag.id) });
  }

  async delete(): Promise<void> {
    const id = await this.anyTag();
    if (id === undefined) return;
    await client.ask('mutation ($id: ID!) { deleteTag(id: $id) { syncToken } }', { id: tagId(id) });
    for (const tags of decided.values()) tags.delete(id);
  }

  async rules(): Promise<void> {
    const input = this.random.pick([
      { maxTags: this.random.int(1, 3) },
      { threshold: this.random.pick([0.1, 0.3]) },
      { impliesParents: this.random.chance(0.6) },
    ]);
    await client.ask(
      'mutation ($name: String!, $input: TagSchemeInput!) { saveTagScheme(name: $name, input: $input) { name } }',
      { name: this.random.pick(SCHEMES), input },
    );
  }

  async decide(): Promise<void> {
    const chunks = await sql<{ id: number; text: string }>('SELECT id, text FROM story_chunk_embeddings ORDER BY id');
    const chunk = this.random.pick(chunks);
    const before = (await readRows()).filter(({ text }) => text === chunk.text);
    const id = this.random.chance(0.7) && before.length > 0 ? this.random.pick(before).tagId : await this.anyTag();
    if (id === undefined) return;
    const row = before.find((one) => one.tagId === id);
    const mutation = this.random.pick(row ? ['acceptTags', 'rejectTags', 'addTags'] : ['rejectTags', 'addTags']);
    await sql('DELETE FROM tag_decisions');
    await client.decide(mutation, toGlobalId('StoryChunk', chunk.id), [tagId(id)]);
    const status = mutation === 'rejectTags' ? 'rejected' : 'accepted';
    const isNew = decided.get(chunk.text)?.get(id) !== status;
    decided.get(chunk.text)?.set(id, status);
    const log = await sql('SELECT tag_concept_id AS id, decided_by AS by FROM tag_decisions');
    expect(log).toEqual(isNew ? [{ id, by: 'ada' }] : []);
  }

  private async anyTag(): Promise<number | undefined> {
    const tags = await sql<{ id: number }>('SELECT id FROM tag_concepts ORDER BY id');
    return tags.length === 0 ? undefined : this.random.pick(tags).id;
  }
}

const WEIGHTS = { rewrite: 4, create: 3, change: 3, move: 3, merge: 1.5, archive: 1, delete: 1, rules: 2, decide: 8 };

it('puts on texts what the rules say, whatever is done to texts, tags, schemes and decisions', async () => {
  const seed = process.env.TEST_SEED ?? randomBytes(4).toString('hex');
  const random = new Random(seed);
  for (const name of SCHEMES) {
    await client.ask(
      'mutation ($name: String!, $input: TagSchemeInput!) { saveTagScheme(name: $name, input: $input) { name } }',
      { name, input: { kinds: ['STORY'], threshold: 0.15, maxTags: 2, impliesParents: name === 'other' } },
    );
  }
  const operations = new Operations(random, await client.createStory(TEXTS.join('\n\n')));
  for (let i = 0; i < 12; i++) await operations.create();
  const done: string[] = [];
  try {
    await check();
    for (let i = 0; i < STEPS; i++) {
      const operation = random.weighted(WEIGHTS);
      done.push(operation);
      await operations[operation]();
      await check();
    }
    const before = await readRows();
    await client.ask('mutation { retag { queued } inferTags { queued } }');
    await check();
    expect(await readRows()).toEqual(before);
  } catch (error) {
    throw new Error(`TEST_SEED=${seed}, after ${done.join(', ')}`, { cause: error });
  }
});

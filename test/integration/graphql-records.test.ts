import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { TestApp } from '../../src/testing/create-test-app';
import { startApp } from '../support/app';
import { graphql } from '../support/generated';
import { dataOf, refusalOf } from '../support/results';

let app: TestApp;
let profileId: string;

const createProfile = graphql(`
  mutation CreateProfile($input: CreateProfileInput!) {
    createProfile(input: $input) {
      syncToken
      profile {
        id
        externalId
        name
        headline
        createdBy
        updatedBy
        createdAt
        updatedAt
        workExperiences {
          title
          company
          position
          skillsUsed
          createdBy
        }
        projects {
          name
          technologies
        }
        educations {
          institution
        }
        skills {
          id
          name
          position
        }
      }
    }
  }
`);

beforeAll(async () => {
  app = await startApp({ isRelaying: false });
  const { createProfile: made } = dataOf(await app.executeOperation(createProfile, { input: { name: 'Owner' } }));
  profileId = made.profile.id;
});

afterAll(() => app?.close());

interface KindCase {
  short: string;
  field: string;
  plural: string;
  /** Fields to read back. */
  read: string;
  input: () => Record<string, unknown>;
  change: Record<string, unknown>;
}

/** One of each kind, with every attribute that a client may write. */
const kinds: KindCase[] = [
  {
    short: 'Profile',
    field: 'profile',
    plural: 'profiles',
    read: 'name email headline summary location',
    input: () => ({
      name: 'Ada',
      email: 'ada@example.org',
      headline: 'Engineer',
      summary: 'Builds engines.',
      location: 'London',
    }),
    change: { headline: 'Chief engineer', email: null },
  },
  {
    short: 'WorkExperience',
    field: 'workExperience',
    plural: 'workExperiences',
    read: 'title company startDate endDate description highlights skillsUsed position',
    input: () => ({
      profileId,
      title: 'Welder',
      company: 'Yard',
      startDate: '2019-04',
      endDate: '2020',
      description: 'Welded hulls.',
      highlights: ['no leaks'],
      skillsUsed: ['TIG'],
      position: 3,
    }),
    change: { endDate: null, highlights: [] },
  },
  {
    short: 'Project',
    field: 'project',
    plural: 'projects',
    read: 'name description technologies url position',
    input: () => ({
      profileId,
      name: 'Raft',
      description: 'It floats.',
      technologies: ['wood'],
      url: 'https://example.org/raft',
      position: 0,
    }),
    change: { technologies: ['wood', 'rope'] },
  },
  {
    short: 'Education',
    field: 'education',
    plural: 'educations',
    read: 'institution studyType area startDate endDate position',
    input: () => ({
      profileId,
      institution: 'School of Mines',
      studyType: 'BSc',
      area: 'Geology',
      startDate: '2001',
      endDate: '2004-06-30',
      position: 1,
    }),
    change: { area: 'Mining' },
  },
  {
    short: 'Skill',
    field: 'skill',
    plural: 'skills',
    read: 'name category level position',
    input: () => ({ profileId, name: 'Sailing', category: 'Boats', level: 'advanced', position: 2 }),
    change: { level: 'expert' },
  },
  {
    short: 'Job',
    field: 'job',
    plural: 'jobs',
    read: `title company location description responsibilities requirements skills { name category } educationRequired
      experienceRequired role industry employmentType experienceLevel salaryMin salaryMax currency isRemote`,
    input: () => ({
      title: 'Lighthouse keeper',
      company: 'Coast',
      location: 'Skerry',
      description: 'Keep the light.',
      responsibilities: ['trim the wick'],
      requirements: ['patience'],
      skills: [
        { name: 'Sums', category: 'Maths' },
        { name: 'Oil', category: null },
      ],
      educationRequired: 'none',
      experienceRequired: 'some',
      role: 'keeper',
      industry: 'sea',
      employmentType: 'full time',
      experienceLevel: 'junior',
      salaryMin: 100,
      salaryMax: 200,
      currency: 'NOK',
      isRemote: true,
    }),
    change: { salaryMax: 300, skills: [{ name: 'Fog', category: null }], isRemote: false },
  },
  {
    short: 'Resume',
    field: 'resume',
    plural: 'resumes',
    read: 'title content',
    input: () => ({ profileId, title: 'For the coast', content: 'I like lamps.' }),
    change: { content: 'I love lamps.' },
  },
  {
    short: 'Story',
    field: 'story',
    plural: 'stories',
    read: 'title author collection content',
    input: () => ({
      title: 'The Fox',
      author: 'Somebody',
      collection: 'Fables',
      content: 'A fox ran.\n\nIt ran on.',
    }),
    change: { author: null },
  },
  {
    short: 'Tag',
    field: 'tag',
    plural: 'tags',
    read: 'name description category usageCount',
    input: () => ({ name: 'Perseverance', description: 'Going on.', category: 'virtue' }),
    change: { description: 'Going on and on.' },
  },
  {
    short: 'Content',
    field: 'content',
    plural: 'contents',
    read: 'contentType contentId content sessionId sourceType',
    input: () => ({
      contentType: 'chat_message',
      contentId: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
      content: 'Hello.',
      sessionId: '00000000-0000-4000-8000-000000000001',
      sourceType: 'Chat',
    }),
    change: { content: 'Hello again.' },
  },
];

/** An answer whose shape depends on the kind. */
interface Json {
  [key: string]: Json;
}

describe.each(kinds)('a $field', ({ short, field, plural, read, input, change }) => {
  const audit = 'id externalId createdBy updatedBy createdAt updatedAt archivedAt';
  let id: string;

  async function run(operation: string, variables: object, actor = 'alice'): Promise<Json> {
    const caller = { actor, role: 'writer' } as const;
    return dataOf(await app.executeOperation<Json, object>(operation, variables, caller));
  }

  async function isListed(archived?: string): Promise<boolean> {
    const listed = await run(
      `query List($filter: ${short}Filter) { ${plural}(first: 200, filter: $filter) { nodes { id } } }`,
      { filter: archived ? { archived } : undefined },
    );
    return (listed[plural]?.nodes as unknown as { id: string }[]).some((node) => node.id === id);
  }

  it('is created with all that was given, and by whom', async () => {
    const data = await run(
      `mutation Make($input: Create${short}Input!) { create${short}(input: $input) { syncToken ${field} { ${audit} ${read} } } }`,
      { input: { externalId: `${short}-1`, ...input() } },
    );
    const made = data[`create${short}`]?.[field] as unknown as Record<string, unknown>;
    const { profileId: _, ...given } = input();
    expect(made).toMatchObject(given);
    expect(made).toMatchObject({
      externalId: `${short}-1`,
      createdBy: 'alice',
      updatedBy: 'alice',
      archivedAt: null,
    });
    expect(data[`create${short}`]?.syncToken).toEqual(expect.any(String));
    id = made.id as string;
  });

  it('is read by its id, its external id and as a node', async () => {
    const data = await run(
      `query Read($id: ID!, $key: String!) {
        byId: ${field}(id: $id) { id ${read} }
        byKey: ${field}(externalId: $key) { id ${read} }
        node(id: $id) { id __typename }
      }`,
      { id, key: `${short}-1` },
    );
    expect(data.byId).toEqual(data.byKey);
    expect(data.node?.id).toBe(id);
  });

  it('changes only what an update names, and says who did', async () => {
    const data = await run(
      `mutation Change($id: ID!, $input: Update${short}Input!) {
        update${short}(id: $id, input: $input) { ${field} { ${audit} ${read} } }
      }`,
      { id, input: change },
      'bob',
    );
    const changed = data[`update${short}`]?.[field] as unknown as Record<string, unknown>;
    const { profileId: _, ...given } = input();
    expect(changed).toMatchObject({ ...given, ...change, createdBy: 'alice', updatedBy: 'bob' });
    expect(Date.parse(changed.updatedAt as string)).toBeGreaterThan(Date.parse(changed.createdAt as string));
  });

  it('is hidden from lists while it is archived', async () => {
    const archive = `mutation Hide($id: ID!) { archive${short}(id: $id) { ${field} { archivedAt updatedBy } } }`;
    const first = await run(archive, { id }, 'carol');
    expect(first[`archive${short}`]?.[field]).toEqual({ archivedAt: expect.any(String), updatedBy: 'carol' });
    expect(await run(archive, { id }, 'dave')).toEqual(first);
    expect([await isListed(), await isListed('ONLY'), await isListed('INCLUDE')]).toEqual([false, true, true]);
    const restored = await run(`mutation Show($id: ID!) { restore${short}(id: $id) { ${field} { archivedAt } } }`, {
      id,
    });
    expect(restored[`restore${short}`]?.[field]).toEqual({ archivedAt: null });
    expect([await isListed(), await isListed('ONLY')]).toEqual([true, false]);
  });

  it('is deleted once', async () => {
    const remove = `mutation Remove($id: ID!) { delete${short}(id: $id) { deletedId syncToken } }`;
    expect((await run(remove, { id }))[`delete${short}`]).toEqual({ deletedId: id, syncToken: expect.any(String) });
    expect((await run(`query Gone($id: ID!) { ${field}(id: $id) { id } node(id: $id) { id } }`, { id }))[field]).toBe(
      null,
    );
    const again = refusalOf(await app.executeOperation(remove, { id }));
    expect(again.code).toBe('NOT_FOUND');
    expect(again.message).toContain(id);
  });
});

describe('a profile with children', () => {
  it('is created whole, children in the order given and by the same caller', async () => {
    const data = dataOf(
      await app.executeOperation(
        createProfile,
        {
          input: {
            name: 'Grace',
            workExperiences: [
              { title: 'Admiral', skillsUsed: ['COBOL'] },
              { title: 'Professor', company: 'Vassar' },
            ],
            projects: [{ name: 'Compiler', technologies: ['A-0'] }],
            educations: [{ institution: 'Yale' }],
            skills: [{ name: 'Zeal' }, { name: 'Algebra' }, { name: 'Maths' }],
          },
        },
        { actor: 'navy' },
      ),
    );
    const { profile } = data.createProfile;
    expect(profile.workExperiences).toEqual([
      { title: 'Admiral', company: null, position: 0, skillsUsed: ['COBOL'], createdBy: 'navy' },
      { title: 'Professor', company: 'Vassar', position: 1, skillsUsed: [], createdBy: 'navy' },
    ]);
    expect(profile.projects).toEqual([{ name: 'Compiler', technologies: ['A-0'] }]);
    expect(profile.educations).toEqual([{ institution: 'Yale' }]);
    expect(profile.skills.map((skill) => skill.name)).toEqual(['Zeal', 'Algebra', 'Maths']);
  });

  it('is not created at all when one child is wrong', async () => {
    const result = await app.executeOperation(createProfile, {
      input: { name: 'Half', skills: [{ name: 'Good' }, { name: '  ' }] },
    });
    expect(refusalOf(result)).toMatchObject({ code: 'BAD_INPUT', field: 'input.skills[1].name' });
    const taken = {
      input: {
        name: 'Half',
        skills: [
          { name: 'A', externalId: 'once' },
          { name: 'B', externalId: 'once' },
        ],
      },
    };
    expect(refusalOf(await app.executeOperation(createProfile, taken)).code).toBe('CONFLICT');
    const left = await app.executeOperation(`{ profiles(filter: { name: { eq: "Half" } }) { totalCount } }`);
    expect(dataOf(left)).toEqual({ profiles: { totalCount: 0 } });
  });

  it('takes its children with it when it is deleted, and hides them while it is archived', async () => {
    const made = dataOf(
      await app.executeOperation(createProfile, { input: { name: 'Parent', skills: [{ name: 'Child' }] } }),
    );
    const { id, skills } = made.createProfile.profile;
    const child = { child: skills[0]?.id };
    const count = `query Count($child: [ID!]) { skills(filter: { ids: $child }) { totalCount nodes { name } } }`;
    await app.executeOperation(`mutation Hide($id: ID!) { archiveProfile(id: $id) { syncToken } }`, { id });
    expect(dataOf(await app.executeOperation(count, child))).toEqual({ skills: { totalCount: 0, nodes: [] } });
    await app.executeOperation(`mutation Show($id: ID!) { restoreProfile(id: $id) { syncToken } }`, { id });
    expect(dataOf(await app.executeOperation(count, child))).toMatchObject({ skills: { totalCount: 1 } });
    await app.executeOperation(`mutation Gone($id: ID!) { deleteProfile(id: $id) { syncToken } }`, { id });
    const gone = await app.executeOperation(`query Gone($id: ID!) { node(id: $id) { id } }`, { id: skills[0]?.id });
    expect(dataOf(gone)).toEqual({ node: null });
  });
});

describe('a caller', () => {
  it('who only reads may not write', async () => {
    const result = await app.executeOperation(createProfile, { input: { name: 'No' } }, { role: 'reader' });
    expect(refusalOf(result).code).toBe('FORBIDDEN');
  });

  it('is recorded on rows that are made for it, however long the name', async () => {
    const actor = 'x'.repeat(300);
    const made = dataOf(await app.executeOperation(createProfile, { input: { name: 'Long' } }, { actor }));
    expect(made.createProfile.profile.createdBy).toBe('x'.repeat(200));
  });
});

describe('tags', () => {
  const createTag = graphql(`
    mutation CreateTag($input: CreateTagInput!) {
      createTag(input: $input) {
        tag {
          id
          name
        }
      }
    }
  `);
  const family = graphql(`
    query TagFamily($name: String!) {
      tag(name: $name) {
        name
        parent {
          name
        }
        children {
          name
        }
        ancestors {
          name
        }
        descendants {
          name
        }
      }
    }
  `);

  async function tag(name: string, parentId?: string): Promise<string> {
    const { createTag: made } = dataOf(await app.executeOperation(createTag, { input: { name, parentId } }));
    return made.tag.id;
  }

  it('have parents, children, ancestors and descendants, and are found by name whatever the case', async () => {
    const root = await tag('Science');
    const middle = await tag('Physics', root);
    await tag('Optics', middle);
    await tag('Acoustics', middle);
    const found = dataOf(await app.executeOperation(family, { name: ' pHYSICS' })).tag;
    expect(found).toEqual({
      name: 'Physics',
      parent: { name: 'Science' },
      children: [{ name: 'Acoustics' }, { name: 'Optics' }],
      ancestors: [{ name: 'Science' }],
      descendants: [{ name: 'Acoustics' }, { name: 'Optics' }],
    });
    const optics = dataOf(await app.executeOperation(family, { name: 'Optics' })).tag;
    expect(optics?.ancestors).toEqual([{ name: 'Physics' }, { name: 'Science' }]);
  });

  it('lose their parent, not themselves, when it is deleted', async () => {
    const root = await tag('Doomed');
    await tag('Survivor', root);
    await app.executeOperation(`mutation Remove($id: ID!) { deleteTag(id: $id) { deletedId } }`, { id: root });
    expect(dataOf(await app.executeOperation(family, { name: 'Survivor' })).tag).toMatchObject({ parent: null });
  });
});

it('finds a content item by its natural key', async () => {
  const input = { contentType: 'document', contentId: 'user-guide', content: 'Read me.' };
  await app.executeOperation(
    `mutation Make($input: CreateContentInput!) { createContent(input: $input) { syncToken } }`,
    {
      input,
    },
  );
  const found = await app.executeOperation(
    `{ content(contentType: "document", contentId: "user-guide") { content } other: content(contentType: "image", contentId: "user-guide") { id } }`,
  );
  expect(dataOf(found)).toEqual({ content: { content: 'Read me.' }, other: null });
});

it('answers several nodes in the order asked, embeddings among them, and null for what is gone', async () => {
  const ids = await Promise.all(
    ['A', 'B'].map(async (name) => {
      const made = dataOf(await app.executeOperation(createProfile, { input: { name } }));
      return made.createProfile.profile.id;
    }),
  );
  const unknown = Buffer.from('Profile:2147483647').toString('base64');
  const result = await app.executeOperation(
    `query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id ... on Profile { name } } }`,
    { ids: [ids[1], unknown, ids[0], ids[1]] },
  );
  expect(dataOf(result)).toEqual({
    nodes: [{ id: ids[1], name: 'B' }, null, { id: ids[0], name: 'A' }, { id: ids[1], name: 'B' }],
  });
});

const renameSkill = graphql(`
  mutation RenameSkill($id: ID!) {
    updateSkill(id: $id, input: { name: "Sailing" }) {
      syncToken
      skill {
        name
      }
    }
  }
`);

const hideSkill = graphql(`
  mutation HideSkill($id: ID!) {
    archiveSkill(id: $id) {
      skill {
        name
        archivedAt
      }
    }
  }
`);

describe('a record that is deleted as soon as it is written', () => {
  // The next to write it, made to follow at once: it goes with the commit of the write that is answered.
  beforeAll(() =>
    app.core.database.dataSource.query(
      `CREATE FUNCTION delete_at_once() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN DELETE FROM skills WHERE id = NEW.id; RETURN NULL; END $$;
       CREATE CONSTRAINT TRIGGER delete_at_once AFTER UPDATE ON skills DEFERRABLE INITIALLY DEFERRED
       FOR EACH ROW EXECUTE FUNCTION delete_at_once()`,
    ),
  );
  afterAll(() => app.core.database.dataSource.query('DROP FUNCTION delete_at_once CASCADE'));

  const newSkill = async (): Promise<string> => {
    const input = { name: 'Owner', skills: [{ name: 'Rowing' }] };
    const { createProfile: made } = dataOf(await app.executeOperation(createProfile, { input }));
    return made.profile.skills[0]?.id ?? '';
  };

  it('is answered as it was written', async () => {
    const updated = dataOf(await app.executeOperation(renameSkill, { id: await newSkill() }));
    expect(updated.updateSkill.skill.name).toBe('Sailing');
    const archived = dataOf(await app.executeOperation(hideSkill, { id: await newSkill() }));
    expect(archived.archiveSkill.skill.archivedAt).not.toBeNull();
  });
});

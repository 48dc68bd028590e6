import type { TestApp } from '../../../src/testing/create-test-app';

export interface AssignedTag {
  score: number | null;
  source: string;
  status: string;
  isImplied: boolean;
  model: { name: string } | null;
  tag: { id: string; name: string };
}

/** Asks about tags and texts, through the whole GraphQL layer. */
export class TagClient {
  constructor(
    private readonly app: TestApp,
    private readonly actor = 'ada',
  ) {}

  /** @throws when the answer has errors */
  async ask<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const { data, errors } = await this.app.executeOperation<T>(query, variables, { actor: this.actor });
    if (errors) throw new Error(JSON.stringify(errors));
    return data as T;
  }

  async createTag(input: Record<string, unknown>): Promise<string> {
    const { createTag } = await this.ask<{ createTag: { tag: { id: string } } }>(
      'mutation ($input: CreateTagInput!) { createTag(input: $input) { tag { id } } }',
      { input },
    );
    return createTag.tag.id;
  }

  async updateTag(id: string, input: Record<string, unknown>): Promise<void> {
    await this.ask('mutation ($id: ID!, $input: UpdateTagInput!) { updateTag(id: $id, input: $input) { syncToken } }', {
      id,
      input,
    });
  }

  /** What creating or updating a tag is refused with. */
  async failure(mutation: 'createTag' | 'updateTag', input: Record<string, unknown>, id?: string): Promise<unknown> {
    const document =
      mutation === 'createTag'
        ? 'mutation ($input: CreateTagInput!) { createTag(input: $input) { syncToken } }'
        : 'mutation ($id: ID!, $input: UpdateTagInput!) { updateTag(id: $id, input: $input) { syncToken } }';
    const { errors } = await this.app.executeOperation(document, { id, input });
    return errors?.[0]?.extensions;
  }

  async createStory(content: string): Promise<string> {
    const { createStory } = await this.ask<{ createStory: { story: { id: string } } }>(
      'mutation ($input: CreateStoryInput!) { createStory(input: $input) { story { id } } }',
      { input: { title: 'A story', content } },
    );
    return createStory.story.id;
  }

  async chunkIds(storyId: string): Promise<string[]> {
    const { story } = await this.ask<{ story: { chunks: { nodes: { id: string }[] } } }>(
      'query ($id: ID!) { story(id: $id) { chunks(first: 50) { nodes { id } } } }',
      { id: storyId },
    );
    return story.chunks.nodes.map(({ id }) => id);
  }

  /** Tags of each chunk of a story, in order. */
  async tagsOf(storyId: string, status = ['SUGGESTED', 'ACCEPTED']): Promise<AssignedTag[][]> {
    const { story } = await this.ask<{ story: { chunks: { nodes: { tags: AssignedTag[] }[] } } }>(
      `query ($id: ID!, $status: [TagStatus!]) { story(id: $id) { chunks(first: 50) { nodes {
         tags(status: $status) { score source status isImplied model { name } tag { id name } } } } } }`,
      { id: storyId, status },
    );
    return story.chunks.nodes.map(({ tags }) => tags);
  }

  async decide(mutation: string, targetId: string, tagIds: readonly string[]): Promise<void> {
    await this.ask(`mutation ($t: ID!, $g: [ID!]!) { ${mutation}(targetId: $t, tagIds: $g) { tags { status } } }`, {
      t: targetId,
      g: tagIds,
    });
  }
}

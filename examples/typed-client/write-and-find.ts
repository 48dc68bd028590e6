/**
 * Writes a profile, waits until it can be found, finds jobs for it with the passages that match, and deletes it again.
 * With a server running (`npm start`):
 *
 *     node -r ./scripts/register-typescript.js examples/typed-client/write-and-find.ts
 *
 * KINDRED_URL names another server, KINDRED_API_KEY the key that it wants.
 * After a change to an operation, `npm run fix:codegen` makes its types.
 */
import { graphql } from '../generated';
import { KindredClient, KindredError } from './kindred-client';

const createProfile = graphql(`
  mutation ExampleCreate($input: CreateProfileInput!) {
    createProfile(input: $input) {
      profile {
        id
      }
      syncToken
    }
  }
`);

const findJobs = graphql(`
  query ExampleFind($query: SearchInput!) {
    searchJobs(query: $query, first: 3) {
      edges {
        score
        node {
          title
          company
        }
        evidence {
          text
        }
      }
    }
  }
`);

const deleteProfile = graphql(`
  mutation ExampleDelete($id: ID!) {
    deleteProfile(id: $id) {
      deletedId
    }
  }
`);

async function main(): Promise<void> {
  const url = process.env.KINDRED_URL ?? 'http://127.0.0.1:4000/graphql';
  const client = new KindredClient(url, process.env.KINDRED_API_KEY);

  const { createProfile: created } = await client.run(createProfile, {
    input: {
      name: 'Ines Duarte',
      headline: 'Bread baker who starts at three in the morning',
      summary: 'Runs the night shift of a bakery: sourdough, rye, ovens that are forty years old, and two apprentices.',
      skills: [{ name: 'Sourdough' }, { name: 'Teaching apprentices' }],
    },
  });
  const { id } = created.profile;
  try {
    const { searchJobs } = await client.run(findJobs, {
      query: { nodeId: id, awaitSync: { token: created.syncToken, timeoutMs: 10_000 } },
    });
    for (const { score, node, evidence } of searchJobs.edges) {
      console.log(`${score.toFixed(3)}  ${node.title}, ${node.company ?? 'company not named'}`);
      console.log(`       ${(evidence[0]?.text ?? '').replaceAll('\n', ' ').slice(0, 100)}…`);
    }
  } finally {
    await client.run(deleteProfile, { id });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof KindredError ? `${error.code}: ${error.message}` : error);
  process.exitCode = 1;
});

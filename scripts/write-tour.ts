import fs from 'node:fs';

/**
 * Writes docs/tour.md from the answers of a running server that holds the evaluation data:
 *
 *     KINDRED_DATA_DIR=<folder> KINDRED_DEMO=off npx kindred import ../shared/data --wait
 *     KINDRED_DATA_DIR=<folder> KINDRED_DEMO=off npx kindred serve
 *     node -r ./scripts/register-typescript.js scripts/write-tour.ts [GraphQL URL]
 */
const URL_OF_SERVER = process.argv[2] ?? 'http://127.0.0.1:4000/graphql';
const PAGE = 'docs/tour.md';
const LONGEST_CELL = 220;

interface Stop {
  title: string;
  about: string;
  query: string;
  columns: Record<string, (edge: Edge) => unknown>;
}

type Value = string | number | null | undefined;
interface Edge {
  score: number;
  node: Record<string, Value> & { story?: { title: string } };
  evidence?: { text: string }[];
}

const score = ({ score: value }: Edge): string => value.toFixed(3);
const evidence = (edge: Edge): Value => edge.evidence?.[0]?.text;

const stops: Stop[] = [
  {
    title: 'Jobs for a wish',
    about: 'Nobody’s job is called this. By both meaning and words, the default for jobs.',
    query: `{
  searchJobs(query: { text: "I like working with animals and caring for them when they are ill" }, first: 5) {
    edges {
      score
      node {
        title
      }
      evidence {
        text
      }
    }
  }
}`,
    columns: { score, title: ({ node }) => node.title, 'passage that matched': evidence },
  },
  {
    title: 'People for a need',
    about: 'By both meaning and words, the default for profiles.',
    query: `{
  searchProfiles(query: { text: "someone who can teach small children with learning difficulties" }, first: 5) {
    edges {
      score
      node {
        name
        headline
      }
      evidence {
        text
      }
    }
  }
}`,
    columns: {
      score,
      name: ({ node }) => node.name,
      headline: ({ node }) => node.headline,
      'passage that matched': evidence,
    },
  },
  {
    title: 'Passages that answer a question',
    about: 'Each paragraph of a story is a hit of its own.',
    query: `{
  searchStoryChunks(query: { text: "Why did the wolf pretend to be a sheep?" }, first: 5) {
    edges {
      score
      node {
        text
        story {
          title
        }
      }
    }
  }
}`,
    columns: { score, story: ({ node }) => node.story?.title, passage: ({ node }) => node.text },
  },
  {
    title: 'Tags for a text',
    about: 'By both meaning and words, meaning counting twice: the default for tags.',
    query: `{
  searchTags(query: { text: "fixing broken engines and machines" }, first: 5) {
    edges {
      score
      node {
        name
        description
      }
    }
  }
}`,
    columns: { score, tag: ({ node }) => node.name, description: ({ node }) => node.description },
  },
];

function cell(value: unknown): string {
  const text = String(value ?? '')
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|');
  return text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL).trimEnd()}…` : text;
}

async function edgesOf(query: string): Promise<Edge[]> {
  const response = await fetch(URL_OF_SERVER, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await response.json()) as { data?: Record<string, { edges: Edge[] }>; errors?: unknown };
  const [connection] = Object.values(data ?? {});
  if (errors !== undefined || !connection) throw new Error(`no answer: ${JSON.stringify(errors)}`);
  return connection.edges;
}

async function section({ title, about, query, columns }: Stop): Promise<string> {
  const edges = await edgesOf(query);
  if (edges.length !== 5) throw new Error(`${title}: ${edges.length} hits; is the evaluation data imported?`);
  const rows = edges.map(
    (edge) =>
      `| ${Object.values(columns)
        .map((read) => cell(read(edge)))
        .join(' | ')} |`,
  );
  return [
    `## ${title}\n\n${about}\n`,
    '```graphql',
    query,
    '```\n',
    `| ${Object.keys(columns).join(' | ')} |`,
    `| ${Object.keys(columns)
      .map(() => '---')
      .join(' | ')} |`,
    ...rows,
  ].join('\n');
}

const INTRODUCTION = `# A tour of real data

Five answers each to four searches, as they came, over data that people published: 461 profiles, 594 jobs, 461 resumes, 160
stories and 70 tags, 18,460 embedded texts, with the local model. Long passages are cut here.

Profiles, jobs and tags are made from the O*NET 29.3 database (U.S. Department of Labor, CC BY 4.0) and SkillSpan (MIT); stories
are from FairytaleQA (Apache License 2.0) and The Aesop for Children (1919, public domain). The people are fictional. The data are no
part of this project; \`scripts/write-tour.ts\` says how this page is made.`;

async function main(): Promise<void> {
  const sections: string[] = [];
  for (const stop of stops) sections.push(await section(stop));
  fs.writeFileSync(PAGE, `${[INTRODUCTION, ...sections].join('\n\n')}\n`);
  console.log(`${PAGE} written; run \`npm run fix:format\``);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

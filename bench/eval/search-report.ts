import type { Scores } from './scoring';

/** What came of one task. */
export interface Measured {
  name: string;
  queries: number;
  bm25: Partial<Scores>;
  byMode: ReadonlyMap<string, Scores>;
}

const METRICS: readonly { key: keyof Scores; title: string; meaning: string }[] = [
  { key: 'ndcg', title: 'nDCG@10', meaning: 'how near the first ten are to the best order of ten; gain 2^grade − 1' },
  {
    key: 'recall',
    title: 'R@10',
    meaning: 'share of the relevant ones (of ten where there are more) among the first ten',
  },
  { key: 'hit1', title: 'hit@1', meaning: 'share of queries whose first hit is relevant' },
  {
    key: 'mrr',
    title: 'MRR@10',
    meaning: 'reciprocal rank of the first relevant hit; the data name no baseline for it',
  },
];

const shown = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(3));

/** One table a metric, a row a task. The best of a row is bold. */
export function searchReport(measured: readonly Measured[], modes: readonly string[]): string {
  const lines = [
    '# Search quality',
    '',
    'Through the GraphQL API of an instance with the local model that has imported the data, by the definitions of the',
    "data's `score.py`; BM25 is the baseline that its README states. Made by:",
    '',
    '    npm run eval -- --data ../shared/data --out bench/results/eval.md',
  ];
  for (const { key, title, meaning } of METRICS) {
    lines.push('', `## ${title}`, '', `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.`, '');
    lines.push(`| task | queries | BM25 | ${modes.join(' | ')} |`, `|---|---|---|${modes.map(() => '---').join('|')}|`);
    for (const { name, queries, bm25, byMode } of measured) {
      const values = [bm25[key], ...modes.map((mode) => byMode.get(mode)?.[key])];
      const best = shown(Math.max(...values.map((value) => value ?? -1)));
      const cells = values.map((value) => (shown(value) === best ? `**${shown(value)}**` : shown(value)));
      lines.push(`| ${name} | ${queries} | ${cells.join(' | ')} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

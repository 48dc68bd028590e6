import type { WriteItem } from '../../src/import/import-writer';
import { seeded } from '../support/random';

const ROLES = ['Data engineer', 'Nurse', 'Backend developer', 'Teacher', 'Product designer', 'Carpenter', 'Analyst'];
const CITIES = ['Lyon', 'Porto', 'Ghent', 'Turku', 'Graz', 'Leeds', 'Utrecht', 'Malmö'];
const SKILLS = [
  'SQL',
  'TypeScript',
  'triage',
  'curriculum design',
  'joinery',
  'statistics',
  'prototyping',
  'mentoring',
];
const WORDS = (
  'plan build review measure teach repair design support improve record explain deliver team service customer system ' +
  'patient product school workshop project data report process quality safety budget schedule supplier partner market'
).split(' ');

type Random = ReturnType<typeof seeded>;

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

function sentences(random: Random, words: number): string {
  const parts: string[] = [];
  for (let left = words; left > 0; left -= 12) {
    const text = Array.from({ length: Math.min(12, left) }, () => pick(random, WORDS)).join(' ');
    parts.push(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
  }
  return parts.join(' ');
}

function skillsOf(random: Random): { name: string }[] {
  return SKILLS.filter(() => random() < 0.5).map((name) => ({ name }));
}

/** The same records on every run: `count` profiles with their skills and two positions each. */
export function profileItems(count: number): WriteItem[] {
  const random = seeded(1);
  return Array.from({ length: count }, (_, i) => ({
    kind: 'profile',
    values: {
      externalId: `profile-${i}`,
      name: `Person ${i}`,
      headline: pick(random, ROLES),
      summary: sentences(random, 48),
      location: pick(random, CITIES),
    },
    children: {
      skills: skillsOf(random),
      workExperiences: [0, 1].map((position) => ({
        title: pick(random, ROLES),
        company: `Company ${Math.floor(random() * 200)}`,
        description: sentences(random, 24),
        startDate: `20${10 + position}-0${1 + (i % 9)}`,
      })),
    },
  }));
}

export function jobItems(count: number): WriteItem[] {
  const random = seeded(2);
  return Array.from({ length: count }, (_, i) => ({
    kind: 'job_description',
    values: {
      externalId: `job-${i}`,
      title: `${pick(random, ROLES)} ${i}`,
      company: `Company ${Math.floor(random() * 200)}`,
      location: pick(random, CITIES),
      description: sentences(random, 60),
      requirements: [sentences(random, 12)],
      skills: skillsOf(random),
      role: pick(random, ROLES),
      industry: pick(random, ['Health', 'Software', 'Education', 'Construction']),
      employmentType: 'FULL_TIME',
    },
  }));
}

import type { WriteItem } from '../import/import-writer';
import contents from './data/contents.json';
import jobs from './data/jobs.json';
import profiles from './data/profiles.json';
import resumes from './data/resumes.json';
import stories from './data/stories.json';
import tags from './data/tags.json';

const byParentFirst = (a: { parentExternalId?: string }, b: { parentExternalId?: string }): number =>
  depthOf(a) - depthOf(b);

function depthOf(tag: { parentExternalId?: string }): number {
  const parent = tags.find((candidate) => candidate.externalId === tag.parentExternalId);
  return parent ? depthOf(parent) + 1 : 0;
}

/** The demo's records, in an order in which what is referred to comes first. One list is of one kind. */
export function demoRecords(): WriteItem[][] {
  const tagDepths = new Map<number, WriteItem[]>();
  for (const tag of [...tags].sort(byParentFirst)) {
    const { parentExternalId, ...values } = tag;
    const item = { kind: 'tag_concept', values, references: { parentId: parentExternalId ?? null } };
    const depth = depthOf(tag);
    tagDepths.set(depth, [...(tagDepths.get(depth) ?? []), item]);
  }
  return [
    profiles.map(({ skills, workExperiences, educations, projects, ...values }) => ({
      kind: 'profile',
      values,
      children: { skills, workExperiences, educations, projects },
    })),
    jobs.map((values) => ({ kind: 'job_description', values })),
    resumes.map(({ profileExternalId, jobExternalId, ...values }) => ({
      kind: 'generated_resume',
      values,
      references: { profileId: profileExternalId, jobId: jobExternalId },
    })),
    stories.map(({ paragraphs, ...values }) => ({
      kind: 'story',
      values: { ...values, content: paragraphs.join('\n\n') },
    })),
    ...tagDepths.values(),
    contents.map((values) => ({ kind: 'content_item', values })),
  ];
}

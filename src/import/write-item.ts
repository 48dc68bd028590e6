import type { ImportRecord, StoryOptions, StoryRecord, TagRecord } from './import-records';
import type { WriteItem } from './import-writer';

/**
 * What the writer needs of a record that a reader found.
 */
export function toWriteItem(found: ImportRecord, options: StoryOptions = {}): WriteItem {
  switch (found.type) {
    case 'profile': {
      const { skills, workExperiences, educations, projects, ...values } = found.record;
      const children = {
        skills: skills.map((row) => ({ ...row })),
        workExperiences: workExperiences.map((row) => ({ ...row })),
        educations: educations.map((row) => ({ ...row })),
        projects: projects.map((row) => ({ ...row })),
      };
      return { kind: 'profile', values, children };
    }
    case 'job':
      return { kind: 'job_description', values: { ...found.record } };
    case 'resume': {
      const { profileExternalId, jobExternalId, ...values } = found.record;
      return {
        kind: 'generated_resume',
        values,
        references: { profileId: profileExternalId, jobId: jobExternalId ?? null },
      };
    }
    case 'story':
      return storyItem({ ...found.record, ...options.chunking }, options.collection);
    case 'tag': {
      const { parent, ...values } = found.record;
      return { kind: 'tag_concept', values, references: { parentId: parent ?? null } };
    }
    case 'content':
      return { kind: 'content_item', values: { ...found.record } };
  }
}

function storyItem({ isMarkdown, ...story }: StoryRecord, collection = story.collection): WriteItem {
  const { chunkingStrategy, chunkTokens = null, chunkOverlap = 0, chunkContext = 'none' } = story;
  const isChosen = chunkingStrategy !== undefined;
  return {
    kind: 'story',
    values: { ...story, collection, ...(isChosen && { chunkTokens, chunkOverlap, chunkContext }) },
    ...(isMarkdown && { initial: { chunkingStrategy: 'markdown' } }),
  };
}

/** Tags in layers, so that each one's parent is in an earlier layer or not in the file. Rings come last. */
export function byParentsFirst<T extends { record: TagRecord }>(tags: readonly T[]): T[][] {
  const layers: T[][] = [];
  const placed = new Set<string>();
  const names = new Map(
    tags.flatMap(({ record }) => [
      [record.externalId, record.externalId],
      [record.name, record.externalId],
    ]),
  );
  let left = [...tags];
  while (left.length > 0) {
    const isReady = ({ record }: T): boolean => {
      const parent = record.parent === undefined ? undefined : names.get(record.parent);
      return parent === undefined || placed.has(parent);
    };
    const ready = left.filter(isReady);
    const layer = ready.length > 0 ? ready : left;
    layers.push(layer);
    for (const { record } of layer) placed.add(record.externalId);
    left = left.filter((tag) => !layer.includes(tag));
  }
  return layers;
}

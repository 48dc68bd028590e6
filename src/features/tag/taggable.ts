import type { RecordKind } from '../../kernel/record/record-spec';
import { contentItemSpec } from '../content/content-item.spec';
import { jobDescriptionSpec } from '../job/job-description.spec';
import { storySpec } from '../story/story.spec';
import { ContentItemTag, JobDescriptionTag, StoryChunkTag, type TagAssignment } from './tag-assignment.entity';

/** Something that tags can be put on. */
export interface Taggable {
  kind: RecordKind;
  /** Whether each chunk is tagged by itself, or the record by the best of its chunks. */
  unit: 'chunk' | 'record';
  /** Table of its assignments, and the column that says what is tagged. */
  table: string;
  subjectColumn: string;
  assignment: new () => TagAssignment;
  /** GraphQL type of what is tagged. */
  typeName: string;
}

export const storyChunks: Taggable = {
  kind: storySpec,
  unit: 'chunk',
  table: 'story_chunk_tags',
  subjectColumn: 'story_chunk_id',
  assignment: StoryChunkTag,
  typeName: 'StoryChunk',
};

export const contentItems: Taggable = {
  kind: contentItemSpec,
  unit: 'record',
  table: 'content_item_tags',
  subjectColumn: 'content_item_id',
  assignment: ContentItemTag,
  typeName: 'ContentItem',
};

export const jobDescriptions: Taggable = {
  kind: jobDescriptionSpec,
  unit: 'record',
  table: 'job_description_tags',
  subjectColumn: 'job_description_id',
  assignment: JobDescriptionTag,
  typeName: 'JobDescription',
};

export const taggables: readonly Taggable[] = [storyChunks, contentItems, jobDescriptions];

export function taggableOf(kind: string): Taggable | undefined {
  return taggables.find((taggable) => taggable.kind.kind === kind);
}

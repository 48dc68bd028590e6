import type { RecordKind } from '../kernel/record/record-spec';
import { ContentType } from './content/content-item.entity';
import { contentItemSpec } from './content/content-item.spec';
import { jobDescriptionSpec } from './job/job-description.spec';
import { educationSpec } from './profile/education.spec';
import { profileSpec } from './profile/profile.spec';
import { projectSpec } from './profile/project.spec';
import { skillSpec } from './profile/skill.spec';
import { workExperienceSpec } from './profile/work-experience.spec';
import { generatedResumeSpec } from './resume/generated-resume.spec';
import { storySpec } from './story/story.spec';
import { ContentItemTag, JobDescriptionTag, StoryChunkTag } from './tag/tag-assignment.entity';
import { tagConceptSpec } from './tag/tag-concept.spec';
import { TagDecision } from './tag/tag-decision.entity';
import { TagName } from './tag/tag-name.entity';
import { TagCategory, TagScheme } from './tag/tag-scheme.entity';
import { TagVerdict } from './tag/tag-verdict.entity';

/** Every kind of record, parents before children. A new kind is one more line here. */
export const recordKinds = [
  profileSpec,
  workExperienceSpec,
  projectSpec,
  educationSpec,
  skillSpec,
  jobDescriptionSpec,
  generatedResumeSpec,
  storySpec,
  tagConceptSpec,
  contentItemSpec,
] as unknown as readonly RecordKind[];

/** Tables that belong to a feature and are no kind of record. */
export const supportingEntities = [
  ContentType,
  TagScheme,
  TagCategory,
  TagName,
  StoryChunkTag,
  ContentItemTag,
  JobDescriptionTag,
  TagDecision,
  TagVerdict,
] as const;

/** Every class with a table, for the data source. */
export const featureEntities: readonly (new () => object)[] = [
  ...recordKinds.flatMap((kind) => (kind.embedding ? [kind.entity, kind.embedding.entity] : [kind.entity])),
  ...supportingEntities,
];

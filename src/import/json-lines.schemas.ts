import { z } from 'zod';
import type { ImportKind } from './import-files';
import type { ImportRecord } from './import-records';
import {
  listOf,
  optionalChoice,
  optionalCount,
  optionalText,
  partialDate,
  requiredText,
  textList,
} from './schema-parts';

/** A skill is an object with a name, or just the name. */
const skill = z
  .union([z.string(), z.object({ name: z.string(), category: optionalText, level: optionalText })])
  .transform((value) => (typeof value === 'string' ? { name: value } : value))
  .refine((value) => value.name.trim() !== '', { error: 'must have a name' });

const profile = z
  .object({
    id: requiredText,
    name: requiredText,
    email: optionalText,
    headline: optionalText,
    summary: optionalText,
    location: optionalText,
    skills: listOf(skill),
    workExperiences: listOf(
      z.object({
        title: requiredText,
        company: optionalText,
        startDate: partialDate,
        endDate: partialDate,
        description: optionalText,
        highlights: textList,
        skillsUsed: textList,
      }),
    ),
    education: listOf(
      z.object({
        institution: requiredText,
        studyType: optionalText,
        area: optionalText,
        startDate: partialDate,
        endDate: partialDate,
      }),
    ),
    projects: listOf(
      z.object({ name: requiredText, description: optionalText, technologies: textList, url: optionalText }),
    ),
  })
  .transform(({ id, education, ...fields }): ImportRecord => ({
    type: 'profile',
    record: { externalId: id, ...fields, educations: education },
  }));

const job = z
  .object({
    id: requiredText,
    title: requiredText,
    company: optionalText,
    location: optionalText,
    description: requiredText,
    responsibilities: textList,
    requirements: textList,
    skills: listOf(skill),
    educationRequired: optionalText,
    experienceRequired: optionalText,
    role: optionalText,
    industry: optionalText,
    employmentType: optionalText,
    experienceLevel: optionalText,
  })
  .transform(({ id, ...fields }): ImportRecord => ({ type: 'job', record: { externalId: id, ...fields } }));

const resume = z
  .object({
    id: requiredText,
    profileId: requiredText,
    jobId: optionalText,
    title: requiredText,
    content: requiredText,
  })
  .transform(({ id, profileId, jobId, ...fields }): ImportRecord => ({
    type: 'resume',
    record: { externalId: id, profileExternalId: profileId, jobExternalId: jobId, ...fields },
  }));

const paragraph = z
  .union([z.string(), z.object({ text: z.string() })])
  .transform((value) => (typeof value === 'string' ? value : value.text).trim());

const story = z
  .object({
    id: requiredText,
    title: requiredText,
    author: optionalText,
    collection: optionalText,
    paragraphs: listOf(paragraph),
    content: optionalText,
    chunkingStrategy: optionalChoice,
    chunkTokens: optionalCount,
    chunkOverlap: optionalCount,
    chunkContext: optionalChoice,
  })
  .transform(({ id, paragraphs, content, ...fields }, context): ImportRecord => {
    const text = content ?? paragraphs.filter((part) => part !== '').join('\n\n');
    if (text === '') {
      context.addIssue({
        code: 'custom',
        path: ['paragraphs'],
        message: 'are missing or empty: the story has no text',
      });
      return z.NEVER;
    }
    return { type: 'story', record: { externalId: id, ...fields, content: text } };
  });

const tag = z
  .object({
    id: requiredText,
    name: requiredText,
    description: optionalText,
    category: optionalText,
    scheme: optionalText,
    parent: optionalText,
  })
  .transform(({ id, category, scheme, ...fields }): ImportRecord => ({
    type: 'tag',
    record: { externalId: id, ...fields, scheme, category: category ?? scheme },
  }));

const content = z
  .object({
    id: optionalText,
    content_type: requiredText,
    content_id: z.union([requiredText, z.int().transform(String)]),
    content: requiredText,
    session_id: optionalText,
    source_type: optionalText,
  })
  .transform(({ id, content_type, content_id, session_id, source_type, ...fields }): ImportRecord => ({
    type: 'content',
    record: {
      externalId: id ?? `${content_type}:${content_id}`,
      contentType: content_type,
      contentId: content_id,
      ...fields,
      sessionId: session_id,
      sourceType: source_type,
    },
  }));

/** What one line of a JSON Lines file of each kind must be, and the record that it becomes. Other fields are ignored. */
export const jsonLinesSchemas: Readonly<Record<ImportKind, z.ZodType<ImportRecord>>> = {
  profiles: profile,
  resumes: resume,
  jobs: job,
  jobs_real: job,
  stories: story,
  tags: tag,
  contents: content,
};

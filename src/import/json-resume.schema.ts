import { z } from 'zod';
import type { EducationEntry, ProfileRecord, ProjectEntry, SkillEntry, WorkExperienceEntry } from './import-records';
import { listOf, optionalText, partialDate, requiredText, textList } from './schema-parts';

const location = z
  .union([z.string(), z.object({ city: optionalText, region: optionalText, countryCode: optionalText })])
  .nullish()
  .transform((value) => {
    if (value == null) return undefined;
    if (typeof value === 'string') return value.trim() || undefined;
    return [value.city, value.region, value.countryCode].filter((part) => part !== undefined).join(', ') || undefined;
  });

const work = z
  .object({
    name: optionalText,
    // What the name was called before version 1.0 of the format.
    company: optionalText,
    position: optionalText,
    startDate: partialDate,
    endDate: partialDate,
    summary: optionalText,
    highlights: textList,
  })
  .transform((entry, context): WorkExperienceEntry => {
    const company = entry.name ?? entry.company;
    const title = entry.position ?? company;
    if (title === undefined) {
      context.addIssue({ code: 'custom', message: 'has neither a position nor a name' });
      return z.NEVER;
    }
    const { startDate, endDate, summary, highlights } = entry;
    return { title, company, startDate, endDate, description: summary, highlights, skillsUsed: [] };
  });

const education = z
  .object({
    institution: optionalText,
    studyType: optionalText,
    area: optionalText,
    startDate: partialDate,
    endDate: partialDate,
  })
  .transform((entry, context): EducationEntry => {
    const institution = entry.institution ?? entry.studyType ?? entry.area;
    if (institution !== undefined) return { ...entry, institution };
    context.addIssue({ code: 'custom', message: 'has neither an institution, a study type nor an area' });
    return z.NEVER;
  });

/** The format groups skills: `Web Development` with the keywords HTML and CSS is two skills of that category. */
const skillGroup = z
  .object({ name: optionalText, level: optionalText, keywords: textList })
  .transform(({ name, level, keywords }): SkillEntry[] => {
    if (keywords.length > 0) return keywords.map((keyword) => ({ name: keyword, category: name, level }));
    return name === undefined ? [] : [{ name, level }];
  });

const project = z
  .object({
    name: requiredText,
    description: optionalText,
    highlights: textList,
    keywords: textList,
    url: optionalText,
  })
  .transform(({ name, description, highlights, keywords, url }): ProjectEntry => ({
    name,
    description: [description, ...highlights].filter((part) => part !== undefined).join('\n') || undefined,
    technologies: keywords,
    url,
  }));

/** JSON Resume 1.0 and its forerunners, as a profile without its external id. Sections with no place are ignored. */
export const jsonResume = z
  .object({
    id: optionalText,
    basics: z.object({
      name: requiredText,
      label: optionalText,
      email: optionalText,
      summary: optionalText,
      location,
    }),
    work: listOf(work),
    education: listOf(education),
    skills: listOf(skillGroup),
    projects: listOf(project),
  })
  .transform(({ id, basics, ...sections }): Omit<ProfileRecord, 'externalId'> & { id?: string } => ({
    id,
    name: basics.name,
    email: basics.email,
    headline: basics.label,
    summary: basics.summary,
    location: basics.location,
    skills: sections.skills.flat(),
    workExperiences: sections.work,
    educations: sections.education,
    projects: sections.projects,
  }));

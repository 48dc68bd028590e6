import { labelled, lines } from '../../kernel/embedding/text';
import { defineRecord } from '../../kernel/record/record-spec';
import type { RelatedRow, Source } from '../../kernel/record/source';
import { ProfileEmbedding } from './profile-embeddings.entity';
import { Profile } from './profile.entity';

function skillNames(source: Source): string[] {
  return (source.related.skills ?? []).map((skill) => String(skill.name));
}

function experienceText(row: RelatedRow): string {
  return lines(
    [row.title, row.company].filter(Boolean).join(', '),
    row.description as string | null,
    ...(row.highlights as string[]),
  );
}

function projectText(row: RelatedRow): string {
  return lines(
    String(row.name),
    row.description as string | null,
    labelled('Technologies', row.technologies as string[]),
  );
}

function educationText(row: RelatedRow): string {
  return [row.studyType, row.area, row.institution].filter(Boolean).join(', ');
}

export const profileSpec = defineRecord<Profile>({
  kind: 'profile',
  entity: Profile,
  table: 'profiles',
  names: { type: 'Profile', short: 'Profile', field: 'profile', plural: 'profiles', label: 'profile' },
  isPersonal: true,
  related: {
    skills: {
      direction: 'children',
      table: 'skills',
      column: 'profile_id',
      columns: ['name', 'category', 'position', 'archived_at'],
      orderBy: 'position, id',
    },
    workExperiences: {
      direction: 'children',
      table: 'work_experiences',
      column: 'profile_id',
      columns: ['title', 'company', 'description', 'highlights', 'position', 'archived_at'],
      orderBy: 'position, id',
    },
    projects: {
      direction: 'children',
      table: 'projects',
      column: 'profile_id',
      columns: ['name', 'description', 'technologies', 'position', 'archived_at'],
      orderBy: 'position, id',
    },
    educations: {
      direction: 'children',
      table: 'educations',
      column: 'profile_id',
      columns: ['institution', 'study_type', 'area', 'position', 'archived_at'],
      orderBy: 'position, id',
    },
  },
  derivedFilters: [
    {
      field: 'skills',
      payloadKey: 'skills',
      description: 'Names of the skills, whatever the case.',
      sql: 'ARRAY(SELECT s.name FROM skills s WHERE s.profile_id = t.id AND s.archived_at IS NULL)',
      values: skillNames,
    },
  ],
  search: 'searchProfiles',
  matches: [
    { field: 'matchingJobs', kind: 'job_description', description: 'Jobs whose text is nearest to this person’s.' },
    { field: 'similarProfiles', kind: 'profile', description: 'People whose text is nearest to this person’s.' },
  ],
  embedding: {
    entity: ProfileEmbedding,
    table: 'profile_embeddings',
    sourceColumn: 'profile_id',
    chunkColumn: 'chunk_index',
    typeName: 'ProfileEmbedding',
    enumName: 'ProfileEmbeddingType',
    types: {
      full_profile: {
        chunking: 'sentence',
        text: (source) =>
          lines(
            source.record.headline,
            source.record.summary,
            ...(source.related.workExperiences ?? []).map(experienceText),
            ...(source.related.projects ?? []).map(projectText),
            ...(source.related.educations ?? []).map(educationText),
            labelled('Skills', skillNames(source)),
          ),
        context: (source) => source.record.headline ?? undefined,
      },
      summary: { chunking: 'sentence', text: (source) => lines(source.record.headline, source.record.summary) },
      skills: { chunking: 'sentence', text: (source) => labelled('Skills', skillNames(source)) },
    },
    defaultTypes: ['full_profile'],
    defaultMode: 'HYBRID',
    hybridWeights: { dense: 1, lexical: 1 },
    meanTermCount: 120,
  },
});

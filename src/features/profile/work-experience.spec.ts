import { labelled, lines } from '../../kernel/embedding/text';
import { defineRecord } from '../../kernel/record/record-spec';
import { WorkExperienceEmbedding } from './profile-embeddings.entity';
import { WorkExperience } from './work-experience.entity';

export const workExperienceSpec = defineRecord<WorkExperience>({
  kind: 'work_experience',
  entity: WorkExperience,
  table: 'work_experiences',
  names: {
    type: 'WorkExperience',
    short: 'WorkExperience',
    field: 'workExperience',
    plural: 'workExperiences',
    label: 'work experience',
  },
  owner: 'profileId',
  lists: [{ reference: 'profileId', field: 'workExperiences', shape: 'list', orderBy: 'position, id' }],
  search: 'searchWorkExperiences',
  matches: [
    { field: 'matchingJobs', kind: 'job_description', description: 'Jobs whose text is nearest to this position.' },
    { field: 'similarWorkExperiences', kind: 'work_experience', description: 'Positions like this one.' },
  ],
  embedding: {
    entity: WorkExperienceEmbedding,
    table: 'work_experience_embeddings',
    sourceColumn: 'work_experience_id',
    chunkColumn: 'chunk_index',
    typeName: 'WorkExperienceEmbedding',
    enumName: 'WorkExperienceEmbeddingType',
    types: {
      full_experience: {
        chunking: 'sentence',
        text: ({ record }) =>
          lines(
            [record.title, record.company].filter(Boolean).join(', '),
            record.description,
            ...record.highlights,
            labelled('Skills', record.skillsUsed),
          ),
        context: ({ record }) => record.title,
      },
      description: { chunking: 'sentence', text: ({ record }) => lines(record.description, ...record.highlights) },
      skills_used: { chunking: 'sentence', text: ({ record }) => labelled('Skills', record.skillsUsed) },
    },
    defaultTypes: ['full_experience'],
    defaultMode: 'HYBRID',
    hybridWeights: { dense: 1, lexical: 1 },
    meanTermCount: 60,
  },
});

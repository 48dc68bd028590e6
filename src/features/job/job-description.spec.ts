import { labelled, lines } from '../../kernel/embedding/text';
import { DomainError } from '../../kernel/errors/domain-error';
import { defineRecord } from '../../kernel/record/record-spec';
import { JobDescription, JobDescriptionEmbedding } from './job-description.entity';

export const jobDescriptionSpec = defineRecord<JobDescription>({
  kind: 'job_description',
  entity: JobDescription,
  table: 'job_descriptions',
  names: { type: 'JobDescription', short: 'Job', field: 'job', plural: 'jobs', label: 'job' },
  search: 'searchJobs',
  matches: [
    { field: 'matchingProfiles', kind: 'profile', description: 'People whose text is nearest to this job’s.' },
    { field: 'similarJobs', kind: 'job_description', description: 'Jobs whose text is nearest to this one’s.' },
  ],
  embedding: {
    entity: JobDescriptionEmbedding,
    table: 'job_description_embeddings',
    sourceColumn: 'job_description_id',
    chunkColumn: 'chunk_index',
    typeName: 'JobDescriptionEmbedding',
    enumName: 'JobEmbeddingType',
    types: {
      full_description: {
        chunking: 'sentence',
        text: ({ record }) =>
          lines(
            record.title,
            record.description,
            ...record.responsibilities,
            ...record.requirements,
            labelled(
              'Skills',
              record.skills.map((skill) => skill.name),
            ),
            record.educationRequired,
            record.experienceRequired,
          ),
        context: ({ record }) => record.title,
      },
      requirements: {
        chunking: 'sentence',
        text: ({ record }) => lines(...record.requirements, record.educationRequired, record.experienceRequired),
        context: ({ record }) => record.title,
      },
      keywords: {
        chunking: 'sentence',
        text: ({ record }) =>
          lines(
            record.title,
            labelled(
              'Skills',
              record.skills.map((skill) => skill.name),
            ),
            labelled('Field', [record.role, record.industry]),
          ),
      },
    },
    defaultTypes: ['full_description'],
    defaultMode: 'HYBRID',
    hybridWeights: { dense: 1, lexical: 1 },
    meanTermCount: 120,
  },
  validate: ({ salaryMin, salaryMax }, path) => {
    if (salaryMin != null && salaryMax != null && salaryMax < salaryMin) {
      const field = `${path}.salaryMax`;
      throw new DomainError('BAD_INPUT', `${field}: ${salaryMax} is below salaryMin, which is ${salaryMin}.`, {
        details: { field },
      });
    }
  },
});

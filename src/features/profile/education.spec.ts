import { defineRecord } from '../../kernel/record/record-spec';
import { Education } from './education.entity';
import { EducationEmbedding } from './profile-embeddings.entity';

export const educationSpec = defineRecord<Education>({
  kind: 'education',
  entity: Education,
  table: 'educations',
  names: { type: 'Education', short: 'Education', field: 'education', plural: 'educations', label: 'education' },
  owner: 'profileId',
  lists: [{ reference: 'profileId', field: 'educations', shape: 'list', orderBy: 'position, id' }],
  search: 'searchEducations',
  embedding: {
    entity: EducationEmbedding,
    table: 'education_embeddings',
    sourceColumn: 'education_id',
    chunkColumn: 'chunk_index',
    typeName: 'EducationEmbedding',
    enumName: 'EducationEmbeddingType',
    types: {
      full_education: {
        chunking: 'sentence',
        text: ({ record }) => [record.studyType, record.area, record.institution].filter(Boolean).join(', '),
      },
    },
    defaultTypes: ['full_education'],
    defaultMode: 'HYBRID',
    hybridWeights: { dense: 1, lexical: 1 },
    meanTermCount: 8,
  },
});

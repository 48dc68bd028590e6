import { defineRecord } from '../../kernel/record/record-spec';
import { SkillEmbedding } from './profile-embeddings.entity';
import { Skill } from './skill.entity';

export const skillSpec = defineRecord<Skill>({
  kind: 'skill',
  entity: Skill,
  table: 'skills',
  names: { type: 'Skill', short: 'Skill', field: 'skill', plural: 'skills', label: 'skill' },
  owner: 'profileId',
  lists: [{ reference: 'profileId', field: 'skills', shape: 'list', orderBy: 'position, id' }],
  search: 'searchSkills',
  embedding: {
    entity: SkillEmbedding,
    table: 'skill_embeddings',
    sourceColumn: 'skill_id',
    chunkColumn: 'chunk_index',
    typeName: 'SkillEmbedding',
    enumName: 'SkillEmbeddingType',
    types: {
      skill: {
        chunking: 'sentence',
        text: ({ record }) => (record.category ? `${record.name} (${record.category})` : record.name),
      },
    },
    defaultTypes: ['skill'],
    defaultMode: 'SEMANTIC',
    hybridWeights: { dense: 1, lexical: 1 },
    meanTermCount: 5,
  },
});

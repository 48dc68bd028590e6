import { labelled, lines } from '../../kernel/embedding/text';
import { defineRecord } from '../../kernel/record/record-spec';
import { ProjectEmbedding } from './profile-embeddings.entity';
import { Project } from './project.entity';

export const projectSpec = defineRecord<Project>({
  kind: 'project',
  entity: Project,
  table: 'projects',
  names: { type: 'Project', short: 'Project', field: 'project', plural: 'projects', label: 'project' },
  owner: 'profileId',
  lists: [{ reference: 'profileId', field: 'projects', shape: 'list', orderBy: 'position, id' }],
  search: 'searchProjects',
  matches: [{ field: 'similarProjects', kind: 'project', description: 'Projects like this one.' }],
  embedding: {
    entity: ProjectEmbedding,
    table: 'project_embeddings',
    sourceColumn: 'project_id',
    chunkColumn: 'chunk_index',
    typeName: 'ProjectEmbedding',
    enumName: 'ProjectEmbeddingType',
    types: {
      full_project: {
        chunking: 'sentence',
        text: ({ record }) => lines(record.name, record.description, labelled('Technologies', record.technologies)),
        context: ({ record }) => record.name,
      },
      description: { chunking: 'sentence', text: ({ record }) => record.description ?? '' },
      technologies: { chunking: 'sentence', text: ({ record }) => labelled('Technologies', record.technologies) },
    },
    defaultTypes: ['full_project'],
    defaultMode: 'HYBRID',
    hybridWeights: { dense: 1, lexical: 1 },
    meanTermCount: 40,
  },
});

import { lines } from '../../kernel/embedding/text';
import { defineRecord } from '../../kernel/record/record-spec';
import { makeSchemes } from './scheme/tag-scheme-store';
import { TagConcept, TagConceptEmbedding } from './tag-concept.entity';

export const tagConceptSpec = defineRecord<TagConcept>({
  kind: 'tag_concept',
  entity: TagConcept,
  table: 'tag_concepts',
  names: { type: 'TagConcept', short: 'Tag', field: 'tag', plural: 'tags', label: 'tag' },
  lists: [{ reference: 'parentId', field: 'children', shape: 'list', orderBy: 'name, id' }],
  lookup: {
    arguments: ['name'],
    where: 't.id = (SELECT tag_concept_id FROM tag_names WHERE folded = kindred_fold_tag_name($1))',
  },
  beforeImport: (sql, tags) => makeSchemes(sql, new Set(tags.flatMap(({ scheme }) => scheme ?? []))),
  search: 'searchTags',
  matches: [{ field: 'similarTags', kind: 'tag_concept', description: 'Tags with a meaning like this one’s.' }],
  embedding: {
    entity: TagConceptEmbedding,
    table: 'tag_concept_embeddings',
    sourceColumn: 'tag_concept_id',
    chunkColumn: 'chunk_index',
    typeName: 'TagConceptEmbedding',
    enumName: 'TagEmbeddingType',
    types: {
      concept: {
        chunking: 'sentence',
        text: ({ record }) => lines([record.name, ...record.aliases].join(', '), record.description),
      },
    },
    defaultTypes: ['concept'],
    defaultMode: 'HYBRID',
    hybridWeights: { dense: 2, lexical: 1 },
    meanTermCount: 20,
  },
});

import { Check, Index } from 'typeorm';

import { EmbeddingRow } from '../../kernel/embedding/embedding-row';
import { EmbeddingTable } from '../../kernel/embedding/embedding-table';
import { Attribute, Reference } from '../../kernel/record/attribute';
import { RecordBase } from '../../kernel/record/record-base';
import { RecordTable } from '../../kernel/record/record-table';

@RecordTable({
  table: 'tag_concepts',
  typeName: 'TagConcept',
  description: 'A label with a meaning, which can be found and assigned by that meaning.',
  references: { parentId: { target: () => TagConcept, onDelete: 'SET NULL' } },
})
@Index('idx_tag_concepts_parent_id', ['parentId'])
@Index('idx_tag_concepts_category', ['category'])
// Case-folded uniqueness is an expression index, which only the migration can state.
@Index('uq_tag_concepts_name', { synchronize: false })
@Check('chk_tag_concepts_name', "btrim(name) <> ''")
@Check('chk_tag_concepts_parent', 'parent_id <> id')
@Check('chk_tag_concepts_usage', 'usage_count >= 0')
export class TagConcept extends RecordBase {
  @Attribute({ type: 'string', isFilterable: true, isOrderable: true, description: 'Unique, whatever the case.' })
  name!: string;

  @Attribute({ type: 'text', isNullable: true })
  description!: string | null;

  @Attribute({ type: 'string', isNullable: true, isFilterable: true, isOrderable: true })
  category!: string | null;

  @Reference({
    kind: 'tag_concept',
    column: 'parent_id',
    field: 'parent',
    isNullable: true,
    description: 'The broader tag.',
  })
  parentId!: number | null;

  @Attribute({
    type: 'integer',
    default: 0,
    isOrderable: true,
    writable: 'never',
    description: 'Chunks that carry it, not counting rejected ones.',
  })
  usageCount!: number;
}

@EmbeddingTable({
  table: 'tag_concept_embeddings',
  source: () => TagConcept,
  sourceColumn: 'tag_concept_id',
  sourceIndex: 'idx_tag_concept_embeddings_tag_id',
  types: ['concept'],
  typeName: 'TagConceptEmbedding',
  description: 'The text of a tag.',
})
export class TagConceptEmbedding extends EmbeddingRow {}

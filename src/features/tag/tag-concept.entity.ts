import { Check, Index, JoinColumn, ManyToOne } from 'typeorm';
import { z } from 'zod';

import { EmbeddingRow } from '../../kernel/embedding/embedding-row';
import { EmbeddingTable } from '../../kernel/embedding/embedding-table';
import { Attribute, Reference } from '../../kernel/record/attribute';
import { RecordBase } from '../../kernel/record/record-base';
import { RecordTable } from '../../kernel/record/record-table';
import { isBlank } from '../../kernel/record/storable-text';
import { TagScheme } from './tag-scheme.entity';

const MAX_ALIASES = 50;
const MAX_ALIAS_LENGTH = 200;

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
@Check('chk_tag_concepts_threshold', 'threshold >= -1 AND threshold <= 1')
@Index('idx_tag_concepts_scheme', ['scheme', 'category'])
export class TagConcept extends RecordBase {
  @Attribute({ type: 'string', isFilterable: true, isOrderable: true, description: 'Unique, whatever the case.' })
  name!: string;

  @Attribute({
    type: 'strings',
    description: 'Other names for the same. Embedded with it; no two tags share a name or alias.',
    validate: z
      .array(
        z
          .string()
          .trim()
          .refine((alias) => !isBlank(alias), 'must not be blank')
          .max(MAX_ALIAS_LENGTH, `must have at most ${MAX_ALIAS_LENGTH} characters`),
      )
      .max(MAX_ALIASES, `has more than ${MAX_ALIASES} aliases`),
  })
  aliases!: string[];

  @Attribute({ type: 'text', isNullable: true })
  description!: string | null;

  @Attribute({
    type: 'string',
    maxLength: 50,
    default: 'general',
    isFilterable: true,
    isOrderable: true,
    description: 'The vocabulary that it belongs to, which says what it is assigned to.',
  })
  scheme!: string;

  @ManyToOne(() => TagScheme, { onDelete: 'RESTRICT', nullable: false })
  @JoinColumn({ name: 'scheme', foreignKeyConstraintName: 'fk_tag_concepts_scheme' })
  schemeRow!: TagScheme;

  @Attribute({
    type: 'float',
    isNullable: true,
    isOrderable: true,
    description: 'It is suggested above this cosine; that of its category or scheme where absent.',
    validate: z.number().min(-1, 'must be from -1 to 1, a cosine').max(1, 'must be from -1 to 1, a cosine'),
  })
  threshold!: number | null;

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
    description: 'Chunks, content items and jobs that carry it, not counting rejected ones.',
  })
  usageCount!: number;

  @Attribute({
    type: 'datetime',
    isNullable: true,
    isOrderable: true,
    writable: 'never',
    description: 'When it was last put on something.',
  })
  lastUsedAt!: Date | null;
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

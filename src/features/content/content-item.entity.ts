import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, Unique } from 'typeorm';

import { EmbeddingRow } from '../../kernel/embedding/embedding-row';
import { EmbeddingTable } from '../../kernel/embedding/embedding-table';
import { Attribute } from '../../kernel/record/attribute';
import { RecordBase } from '../../kernel/record/record-base';
import { RecordTable } from '../../kernel/record/record-table';

/** The kinds of content that exist, and the form that the ids of each must have. */
@Entity('content_types')
export class ContentType {
  @PrimaryColumn({ type: 'varchar', length: 50, primaryKeyConstraintName: 'pk_content_types' })
  name!: string;

  /** A POSIX regular expression that a `content_id` of this type matches whole. */
  @Column({ name: 'id_pattern', type: 'text' })
  idPattern!: string;

  @Column({ type: 'text' })
  description!: string;
}

@RecordTable({
  table: 'content_items',
  typeName: 'ContentItem',
  description: 'Something said, written or shown elsewhere, known by its type and its id there.',
})
@Unique('uq_content_items_natural_key', ['contentType', 'contentId'])
@Index('idx_content_items_session_id', ['sessionId'])
@Index('idx_content_items_source_type', ['sourceType'])
@Index('idx_content_items_created_at', ['createdAt'])
export class ContentItem extends RecordBase {
  @Attribute({ type: 'string', maxLength: 50, isFilterable: true, isOrderable: true, writable: 'create' })
  contentType!: string;

  @ManyToOne(() => ContentType, { onDelete: 'RESTRICT', nullable: false })
  @JoinColumn({ name: 'content_type', foreignKeyConstraintName: 'fk_content_items_content_type' })
  contentTypeRow!: ContentType;

  @Attribute({
    type: 'string',
    isFilterable: true,
    writable: 'create',
    description: 'Id where it comes from: an integer, a UUID or a slug.',
  })
  contentId!: string;

  @Attribute({ type: 'text', isNullable: true })
  content!: string | null;

  @Attribute({ type: 'uuid', isNullable: true, isFilterable: true })
  sessionId!: string | null;

  @Attribute({
    type: 'string',
    maxLength: 100,
    isNullable: true,
    isFilterable: true,
    isOrderable: true,
    description: 'E.g. URL, YouTube, Chat.',
  })
  sourceType!: string | null;
}

@EmbeddingTable({
  table: 'content_embeddings',
  source: () => ContentItem,
  sourceColumn: 'content_item_id',
  sourceIndex: 'idx_content_embeddings_content_id',
  types: ['content'],
  typeName: 'ContentEmbedding',
  description: 'A chunk of a content item.',
})
export class ContentEmbedding extends EmbeddingRow {}

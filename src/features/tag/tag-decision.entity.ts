import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';

import { EmbeddingModel } from '../../kernel/model/embedding-model.entity';
import { TagConcept } from './tag-concept.entity';

/** What a person did to a tag on a text. Written by triggers, whoever writes the assignment; never changed. */
@Entity('tag_decisions')
@Index('idx_tag_decisions_tag_concept_id', ['tagConceptId', 'id'])
@Index('idx_tag_decisions_subject', ['kind', 'subjectId'])
@Index('idx_tag_decisions_source', ['kind', 'sourceId', 'id'])
@Check('chk_tag_decisions_action', "action IN ('accept', 'reject', 'add', 'remove', 'reopen')")
export class TagDecision {
  @PrimaryGeneratedColumn({ type: 'bigint', primaryKeyConstraintName: 'pk_tag_decisions' })
  id!: string;

  /** Kind of record that was tagged. */
  @Column({ type: 'varchar', length: 50 })
  kind!: string;

  /** Id of the record. */
  @Column({ name: 'source_id', type: 'integer', nullable: true })
  sourceId!: number | null;

  /** Id of what was tagged: the chunk, or the record. It may be gone. */
  @Column({ name: 'subject_id', type: 'integer' })
  subjectId!: number;

  /** SHA-256 of the text that was judged, where it is a chunk's; without its context line. */
  @Column({ name: 'content_hash', type: 'char', length: 64, nullable: true })
  contentHash!: string | null;

  @Column({ name: 'tag_concept_id', type: 'integer', nullable: true })
  tagConceptId!: number | null;

  @ManyToOne(() => TagConcept, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn({ name: 'tag_concept_id', foreignKeyConstraintName: 'fk_tag_decisions_tag_concept_id' })
  tagConcept!: TagConcept | null;

  /** Its name at that time. */
  @Column({ name: 'tag_name', type: 'varchar', length: 200 })
  tagName!: string;

  @Column({ type: 'varchar', length: 10 })
  action!: 'accept' | 'reject' | 'add' | 'remove' | 'reopen';

  @Column({ type: 'double precision', nullable: true })
  score!: number | null;

  @Column({ name: 'model_id', type: 'integer', nullable: true })
  modelId!: number | null;

  @ManyToOne(() => EmbeddingModel, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn({ name: 'model_id', foreignKeyConstraintName: 'fk_tag_decisions_model_id' })
  model!: EmbeddingModel | null;

  @Column({ name: 'decided_by', type: 'varchar', length: 200 })
  decidedBy!: string;

  @Column({ name: 'decided_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  decidedAt!: Date;
}

import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { EmbeddingModel } from '../../kernel/model/embedding-model.entity';
import { Story } from '../story/story.entity';
import type { TagSource, TagStatus } from './tag-assignment.entity';
import { TagConcept } from './tag-concept.entity';

/**
 * What holds of a tag on a text of a story, whether a chunk has that text now or not: so a decision comes back with its
 * text. Kept by triggers; `tag_decisions` is the history.
 */
@Entity('tag_verdicts')
@Index('idx_tag_verdicts_tag_concept_id', ['tagConceptId'])
@Check('chk_tag_verdicts_status', "status IN ('accepted', 'rejected')")
@Check('chk_tag_verdicts_source', "source IN ('auto', 'manual')")
export class TagVerdict {
  @PrimaryColumn({ name: 'story_id', type: 'integer', primaryKeyConstraintName: 'pk_tag_verdicts' })
  storyId!: number;

  @ManyToOne(() => Story, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'story_id', foreignKeyConstraintName: 'fk_tag_verdicts_story_id' })
  story!: Story;

  /** SHA-256 of the chunk's text, without its context line. */
  @PrimaryColumn({ name: 'text_hash', type: 'char', length: 64, primaryKeyConstraintName: 'pk_tag_verdicts' })
  textHash!: string;

  @PrimaryColumn({ name: 'tag_concept_id', type: 'integer', primaryKeyConstraintName: 'pk_tag_verdicts' })
  tagConceptId!: number;

  @ManyToOne(() => TagConcept, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'tag_concept_id', foreignKeyConstraintName: 'fk_tag_verdicts_tag_concept_id' })
  tagConcept!: TagConcept;

  @Column({ type: 'varchar', length: 10 })
  status!: TagStatus.ACCEPTED | TagStatus.REJECTED;

  @Column({ type: 'varchar', length: 10 })
  source!: TagSource;

  @Column({ type: 'double precision', nullable: true })
  score!: number | null;

  @Column({ name: 'model_id', type: 'integer', nullable: true })
  modelId!: number | null;

  @ManyToOne(() => EmbeddingModel, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn({ name: 'model_id', foreignKeyConstraintName: 'fk_tag_verdicts_model_id' })
  model!: EmbeddingModel | null;

  @Column({ name: 'decided_by', type: 'varchar', length: 200 })
  decidedBy!: string;

  @Column({ name: 'decided_at', type: 'timestamptz' })
  decidedAt!: Date;
}

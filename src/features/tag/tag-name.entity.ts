import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { TagConcept } from './tag-concept.entity';

/** Every name and alias once, folded, so that no two tags answer to the same. Kept by trigger. */
@Entity('tag_names')
@Index('idx_tag_names_tag_concept_id', ['tagConceptId'])
export class TagName {
  /** Case, Unicode form and white space do not count. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'pk_tag_names' })
  folded!: string;

  @Column({ name: 'tag_concept_id', type: 'integer' })
  tagConceptId!: number;

  @ManyToOne(() => TagConcept, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'tag_concept_id', foreignKeyConstraintName: 'fk_tag_names_tag_concept_id' })
  tagConcept!: TagConcept;
}

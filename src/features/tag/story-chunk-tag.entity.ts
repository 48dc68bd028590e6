import { registerEnumType } from 'type-graphql';
import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { StoryChunkEmbedding } from '../story/story.entity';
import { TagConcept } from './tag-concept.entity';

export enum TagSource {
  AUTO = 'auto',
  MANUAL = 'manual',
}

export enum TagStatus {
  SUGGESTED = 'suggested',
  ACCEPTED = 'accepted',
  REJECTED = 'rejected',
}

registerEnumType(TagSource, { name: 'TagSource', description: 'Whether similarity or a person assigned the tag.' });
registerEnumType(TagStatus, { name: 'TagStatus', description: 'What a person has said about the assignment.' });

/** A tag on a chunk of a story. */
@Entity('story_chunk_tags')
@Index('idx_story_chunk_tags_tag_concept_id', ['tagConceptId', 'status'])
@Check('chk_story_chunk_tags_score', 'score >= -1 AND score <= 1')
@Check('chk_story_chunk_tags_source', "source IN ('auto', 'manual')")
@Check('chk_story_chunk_tags_status', "status IN ('suggested', 'accepted', 'rejected')")
export class StoryChunkTag {
  @PrimaryColumn({ name: 'story_chunk_id', type: 'integer', primaryKeyConstraintName: 'pk_story_chunk_tags' })
  storyChunkId!: number;

  @PrimaryColumn({ name: 'tag_concept_id', type: 'integer', primaryKeyConstraintName: 'pk_story_chunk_tags' })
  tagConceptId!: number;

  @ManyToOne(() => StoryChunkEmbedding, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'story_chunk_id', foreignKeyConstraintName: 'fk_story_chunk_tags_story_chunk_id' })
  storyChunk!: StoryChunkEmbedding;

  @ManyToOne(() => TagConcept, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'tag_concept_id', foreignKeyConstraintName: 'fk_story_chunk_tags_tag_concept_id' })
  tagConcept!: TagConcept;

  /** Cosine of chunk and tag, where similarity assigned it. */
  @Column({ type: 'double precision', nullable: true })
  score!: number | null;

  @Column({ type: 'varchar', length: 10 })
  source!: TagSource;

  @Column({ type: 'varchar', length: 10 })
  status!: TagStatus;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;

  @Column({ name: 'created_by', type: 'varchar', length: 200, nullable: true })
  createdBy!: string | null;

  @Column({ name: 'updated_by', type: 'varchar', length: 200, nullable: true })
  updatedBy!: string | null;
}

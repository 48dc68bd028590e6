import { registerEnumType } from 'type-graphql';
import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { EmbeddingModel } from '../../kernel/model/embedding-model.entity';
import { ContentItem } from '../content/content-item.entity';
import { JobDescription } from '../job/job-description.entity';
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

/** A tag on something that can be tagged: what every assignment table has. */
export abstract class TagAssignment {
  /** Id of what is tagged; the column's name differs by table. */
  subjectId!: number;

  tagConceptId!: number;

  tagConcept!: TagConcept;

  /** Cosine of what is tagged and the tag, where it is known; of an implied tag, that of the tag which implies it. */
  @Column({ type: 'double precision', nullable: true })
  score!: number | null;

  modelId!: number | null;

  @Column({ type: 'varchar', length: 10 })
  source!: TagSource;

  @Column({ type: 'varchar', length: 10 })
  status!: TagStatus;

  /** Whether it is there only because a tag below it is. */
  @Column({ name: 'is_implied', type: 'boolean', default: false })
  isImplied!: boolean;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;

  // Defaults and not a trigger: these rows come by the thousand.
  @Column({ name: 'created_by', type: 'varchar', length: 200, nullable: true, default: () => 'kindred_actor()' })
  createdBy!: string | null;

  @Column({ name: 'updated_by', type: 'varchar', length: 200, nullable: true, default: () => 'kindred_actor()' })
  updatedBy!: string | null;
}

interface AssignmentTableOptions {
  table: string;
  /** Class of what is tagged. */
  subject: () => new () => object;
  subjectColumn: string;
}

/** Makes a class that extends `TagAssignment` a table with real foreign keys. Written once for all of them. */
function AssignmentTable({ table, subject, subjectColumn }: AssignmentTableOptions): ClassDecorator {
  return (target) => {
    const prototype = target.prototype as object;
    const keyName = `pk_${table}`;
    PrimaryColumn({ name: subjectColumn, type: 'integer', primaryKeyConstraintName: keyName })(prototype, 'subjectId');
    PrimaryColumn({ name: 'tag_concept_id', type: 'integer', primaryKeyConstraintName: keyName })(
      prototype,
      'tagConceptId',
    );
    Column({ name: 'model_id', type: 'integer', nullable: true })(prototype, 'modelId');
    ManyToOne(subject, { onDelete: 'CASCADE', nullable: false })(prototype, 'subject');
    JoinColumn({ name: subjectColumn, foreignKeyConstraintName: `fk_${table}_${subjectColumn}` })(prototype, 'subject');
    ManyToOne(() => TagConcept, { onDelete: 'CASCADE', nullable: false })(prototype, 'tagConcept');
    JoinColumn({ name: 'tag_concept_id', foreignKeyConstraintName: `fk_${table}_tag_concept_id` })(
      prototype,
      'tagConcept',
    );
    // What a foreign key would do, triggers do for a statement at a time: these rows come by the thousand.
    ManyToOne(() => EmbeddingModel, { createForeignKeyConstraints: false, nullable: true })(prototype, 'model');
    JoinColumn({ name: 'model_id' })(prototype, 'model');
    Entity(table)(target);
    Index(`idx_${table}_tag_concept_id`, ['tagConceptId', 'status'])(target);
    // BRIN, for tags used in a window of time.
    Index(`idx_${table}_created_at`, { synchronize: false })(target);
    // Partial, over what is implied: whether anything is, is asked at each comparison.
    Index(`idx_${table}_implied`, { synchronize: false })(target);
    Check(`chk_${table}_score`, 'score >= -1 AND score <= 1')(target);
    Check(`chk_${table}_source`, "source IN ('auto', 'manual')")(target);
    Check(`chk_${table}_status`, "status IN ('suggested', 'accepted', 'rejected')")(target);
  };
}

/** A tag on a chunk of a story. */
@AssignmentTable({
  table: 'story_chunk_tags',
  subject: () => StoryChunkEmbedding,
  subjectColumn: 'story_chunk_id',
})
export class StoryChunkTag extends TagAssignment {}

/** A tag on a content item. */
@AssignmentTable({ table: 'content_item_tags', subject: () => ContentItem, subjectColumn: 'content_item_id' })
export class ContentItemTag extends TagAssignment {}

/** A tag on a job. */
@AssignmentTable({
  table: 'job_description_tags',
  subject: () => JobDescription,
  subjectColumn: 'job_description_id',
})
export class JobDescriptionTag extends TagAssignment {}

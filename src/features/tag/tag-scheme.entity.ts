import { Field, Float, GraphQLISODateTime, Int, ObjectType } from 'type-graphql';
import { Check, Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

/** A vocabulary of tags with rules of its own: what its tags are assigned to, and when. */
@Entity('tag_schemes')
@Check('chk_tag_schemes_name', "btrim(name) <> ''")
@Check('chk_tag_schemes_threshold', 'threshold >= -1 AND threshold <= 1')
@Check('chk_tag_schemes_max_tags', 'max_tags >= 1 AND max_tags <= 100')
@Check('chk_tag_schemes_kinds', "kinds <@ ARRAY['story', 'content_item', 'job_description']")
@ObjectType({ description: 'A vocabulary of tags with rules of its own: what its tags are assigned to, and when.' })
export class TagScheme {
  @PrimaryColumn({ type: 'varchar', length: 50, primaryKeyConstraintName: 'pk_tag_schemes' })
  @Field(() => String)
  name!: string;

  @Column({ type: 'text', nullable: true })
  @Field(() => String, { nullable: true })
  description!: string | null;

  /** Kinds of record that its tags are assigned to by themselves. */
  @Column({ type: 'text', array: true })
  kinds!: string[];

  @Column({ type: 'double precision' })
  @Field(() => Float, {
    description: 'A tag is suggested above this cosine, unless it or its category says otherwise.',
  })
  threshold!: number;

  @Column({ name: 'max_tags', type: 'integer' })
  @Field(() => Int, { description: 'The most tags that are suggested for one text; the best ones.' })
  maxTags!: number;

  @Column({ name: 'implies_parents', type: 'boolean', default: false })
  @Field(() => Boolean, { description: 'Whether a tag brings all broader tags with it.' })
  impliesParents!: boolean;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  @Field(() => GraphQLISODateTime)
  updatedAt!: Date;

  @Column({ name: 'created_by', type: 'varchar', length: 200, nullable: true })
  createdBy!: string | null;

  @Column({ name: 'updated_by', type: 'varchar', length: 200, nullable: true })
  @Field(() => String, { nullable: true })
  updatedBy!: string | null;
}

/** The threshold of a category within a scheme. */
@Entity('tag_categories')
@Check('chk_tag_categories_threshold', 'threshold >= -1 AND threshold <= 1')
@ObjectType('TagCategoryThreshold', { description: 'The threshold of a category within a scheme.' })
export class TagCategory {
  @PrimaryColumn({ type: 'varchar', length: 50, primaryKeyConstraintName: 'pk_tag_categories' })
  scheme!: string;

  @PrimaryColumn({ type: 'varchar', length: 200, primaryKeyConstraintName: 'pk_tag_categories' })
  @Field(() => String)
  category!: string;

  @ManyToOne(() => TagScheme, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'scheme', foreignKeyConstraintName: 'fk_tag_categories_scheme' })
  schemeRow!: TagScheme;

  @Column({ type: 'double precision' })
  @Field(() => Float)
  threshold!: number;
}

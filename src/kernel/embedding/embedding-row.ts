import { GraphQLJSON } from 'graphql-scalars';
import { Field, GraphQLISODateTime, ID, Int, InterfaceType, registerEnumType } from 'type-graphql';
import { Column, Generated, PrimaryGeneratedColumn } from 'typeorm';

import { toGlobalId } from '../record/global-id';
import { typeNameOf } from '../record/record-base';

export enum EmbeddingStatus {
  PENDING = 'PENDING',
  INDEXED = 'INDEXED',
  FAILED = 'FAILED',
}

registerEnumType(EmbeddingStatus, {
  name: 'EmbeddingStatus',
  description: 'Whether the vector server has an embedding’s present text and payload.',
  valuesConfig: {
    PENDING: { description: 'The vector server does not have the present text or payload yet.' },
    INDEXED: { description: 'The vector server has exactly this row.' },
    FAILED: { description: 'Given up after repeated or permanent errors; see the dead letters.' },
  },
});

/** One row of a typed embedding table: a chunk of a record's text, and the point that holds its vector. */
@InterfaceType('Embedding', {
  description: 'One row of a typed embedding table: a chunk of text and the point in Qdrant that holds its vector.',
  resolveType: (value: object) => typeNameOf(value),
})
export abstract class EmbeddingRow {
  @PrimaryGeneratedColumn({ type: 'integer' })
  id!: number;

  @Column({ type: 'uuid' })
  @Generated('uuid')
  uuid!: string;

  /** Foreign key to the source; the column's name differs by table. */
  sourceId!: number;

  @Column({ name: 'qdrant_point_id', type: 'uuid' })
  @Generated('uuid')
  @Field(() => ID, { description: 'Id of the point in Qdrant; stable for as long as the row exists.' })
  qdrantPointId!: string;

  @Column({ name: 'embedding_type', type: 'varchar', length: 50 })
  @Field(() => String, { description: 'Which text of the record this is, as stored; `type` is the same as an enum.' })
  embeddingType!: string;

  /** Position among the chunks of one source and type; the column's name differs by table. */
  @Field(() => Int)
  chunkIndex!: number;

  @Column({ type: 'text', default: () => "''" })
  @Field(() => String)
  text!: string;

  @Column({ name: 'context_line', type: 'text', nullable: true })
  @Field(() => String, { nullable: true, description: 'A line embedded before the text, not part of it.' })
  contextLine!: string | null;

  @Column({ name: 'start_offset', type: 'integer', nullable: true })
  @Field(() => Int, { nullable: true, description: 'UTF-16 index of the first character in the rendered text.' })
  startOffset!: number | null;

  @Column({ name: 'end_offset', type: 'integer', nullable: true })
  @Field(() => Int, { nullable: true, description: 'UTF-16 index after the last character in the rendered text.' })
  endOffset!: number | null;

  @Column({ name: 'token_count', type: 'integer', nullable: true })
  @Field(() => Int, {
    nullable: true,
    description: 'Tokens of the text, by the model’s own tokenizer where it has one here, else estimated.',
  })
  tokenCount!: number | null;

  @Column({ name: 'heading_path', type: 'text', array: true, nullable: true })
  @Field(() => [String], {
    nullable: true,
    description: 'Headings that the text stands under, the outermost first; null where there are none.',
  })
  headingPath!: string[] | null;

  @Column({ name: 'content_hash', type: 'char', length: 64 })
  @Field(() => String, { description: 'SHA-256 of what is embedded; equal hashes share one embedding call.' })
  contentHash!: string;

  @Column({ name: 'metadata_json', type: 'jsonb', nullable: true })
  @Field(() => GraphQLJSON, { name: 'metadata', nullable: true })
  metadataJson!: unknown;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  @Field(() => GraphQLISODateTime)
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  @Field(() => GraphQLISODateTime)
  updatedAt!: Date;

  @Column({ name: 'created_by', type: 'varchar', length: 200, nullable: true })
  @Field(() => String, { nullable: true })
  createdBy!: string | null;

  @Column({ name: 'updated_by', type: 'varchar', length: 200, nullable: true })
  @Field(() => String, { nullable: true })
  updatedBy!: string | null;

  /** Key of the row of another table that this one was migrated from. */
  @Column({ name: 'legacy_key', type: 'text', nullable: true })
  legacyKey!: string | null;

  /** Values of that row for which there is no column here. */
  @Column({ name: 'legacy_extra', type: 'jsonb', nullable: true })
  legacyExtra!: Record<string, unknown> | null;

  @Column({ name: 'archived_at', type: 'timestamptz', nullable: true })
  @Field(() => GraphQLISODateTime, { nullable: true })
  archivedAt!: Date | null;

  @Field(() => ID, { name: 'id' })
  get globalId(): string {
    return toGlobalId(typeNameOf(this), this.id);
  }
}

import { Field, ID, Int, ObjectType } from 'type-graphql';
import { Check, Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** A model that made vectors. Two vectors may be compared only if they come from the same row. */
@Entity('embedding_models')
@Unique('uq_embedding_models_identity', ['provider', 'name', 'version', 'dimensions'])
@Check('chk_embedding_models_dimensions', 'dimensions > 0')
@ObjectType({ description: 'A model that made vectors; vectors of different models cannot be compared.' })
export class EmbeddingModel {
  @PrimaryGeneratedColumn({ type: 'integer', primaryKeyConstraintName: 'pk_embedding_models' })
  @Field(() => ID)
  id!: number;

  @Column({ type: 'varchar', length: 200 })
  @Field(() => String)
  provider!: string;

  @Column({ type: 'varchar', length: 200 })
  @Field(() => String)
  name!: string;

  @Column({ type: 'varchar', length: 100, default: '' })
  @Field(() => String, { description: 'Revision of the weights; empty where the provider names none.' })
  version!: string;

  @Column({ type: 'integer' })
  @Field(() => Int)
  dimensions!: number;

  @Column({ name: 'max_tokens', type: 'integer' })
  @Field(() => Int, { description: 'The longest text that is embedded whole, in tokens.' })
  maxTokens!: number;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}

import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn, Unique } from 'typeorm';

import { EmbeddingModel } from './embedding-model.entity';

export const generationStates = ['building', 'live', 'retired'] as const;
export type GenerationState = (typeof generationStates)[number];

/**
 * Which model made which collection. A kind has one live generation, and at most one beside it (`building`): the next,
 * which is being filled, or the former, which is kept up to date so that it can be promoted again.
 */
@Entity('embedding_generations')
@Unique('uq_embedding_generations_number', ['kind', 'modelId', 'number'])
@Unique('uq_embedding_generations_collection', ['collection'])
@Index('uq_embedding_generations_live', { synchronize: false }) // unique and partial: one live generation a kind
@Index('uq_embedding_generations_building', { synchronize: false }) // unique and partial: one beside it
@Check('chk_embedding_generations_state', "state IN ('building', 'live', 'retired')")
export class EmbeddingGeneration {
  @PrimaryGeneratedColumn({ type: 'integer', primaryKeyConstraintName: 'pk_embedding_generations' })
  id!: number;

  @Column({ type: 'varchar', length: 50 })
  kind!: string;

  @Column({ name: 'model_id', type: 'integer' })
  modelId!: number;

  @ManyToOne(() => EmbeddingModel, { nullable: false, onDelete: 'RESTRICT' })
  @JoinColumn({ name: 'model_id', foreignKeyConstraintName: 'fk_embedding_generations_model_id' })
  model!: EmbeddingModel;

  @Column({ type: 'integer' })
  number!: number;

  /** Physical name in Qdrant. */
  @Column({ type: 'varchar', length: 250 })
  collection!: string;

  @Column({ type: 'varchar', length: 10 })
  state!: GenerationState;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'promoted_at', type: 'timestamptz', nullable: true })
  promotedAt!: Date | null;
}

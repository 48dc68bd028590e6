import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

import type { Payload } from './vector-store';

export const pointStates = ['pending', 'indexed', 'failed', 'deleting'] as const;
export type PointState = (typeof pointStates)[number];

/**
 * The ledger of points: every point id once across all embedding tables, what its point should hold and what it holds.
 * A raised revision is what makes an outbox event. A row outlives its embedding row as `deleting` until Qdrant has
 * dropped the point.
 */
@Entity('vector_points')
@Index('idx_vector_points_entity', ['kind', 'entityId'])
@Index('idx_vector_points_unsettled', { synchronize: false }) // partial, over (kind, state) of what is not indexed
@Index('idx_vector_points_hash', ['indexedHash', 'kind', 'generationId'])
@Check('chk_vector_points_state', "state IN ('pending', 'indexed', 'failed', 'deleting')")
export class VectorPoint {
  @PrimaryColumn({ name: 'point_id', type: 'uuid', primaryKeyConstraintName: 'pk_vector_points' })
  pointId!: string;

  @Column({ type: 'varchar', length: 50 })
  kind!: string;

  /** Id of the source record. */
  @Column({ name: 'entity_id', type: 'integer' })
  entityId!: number;

  @Column({ type: 'varchar', length: 10, default: 'pending' })
  state!: PointState;

  /** Grows with every change of text or payload, over all points. */
  @Column({ type: 'bigint', default: () => "nextval('kindred_revision')" })
  revision!: string;

  /** The record's filterable fields as they should be in Qdrant. */
  @Column({ type: 'jsonb', default: () => "'{}'" })
  payload!: Payload;

  @Column({ name: 'indexed_revision', type: 'bigint', nullable: true })
  indexedRevision!: string | null;

  /** Hash of the text whose vector Qdrant holds. */
  @Column({ name: 'indexed_hash', type: 'char', length: 64, nullable: true })
  indexedHash!: string | null;

  /**
   * Generation whose collection it was written to; null while the live collection does not hold it. A promotion leaves it
   * as it is: what is promoted holds all that the live one did.
   */
  @Column({ name: 'generation_id', type: 'integer', nullable: true })
  generationId!: number | null;

  /**
   * Collection (or `collection#vector`) that the vector was taken over from, where Kindred has not embedded the text
   * itself. Such a vector stays until the record's text changes.
   */
  @Column({ name: 'adopted_from', type: 'varchar', length: 400, nullable: true })
  adoptedFrom!: string | null;

  /** Hash of what the record's text of this type was when its adopted vector was first seen. */
  @Column({ name: 'adopted_hash', type: 'char', length: 64, nullable: true })
  adoptedHash!: string | null;

  @Column({ name: 'error_code', type: 'varchar', length: 50, nullable: true })
  errorCode!: string | null;

  @Column({ type: 'text', nullable: true })
  error!: string | null;

  @Column({ name: 'indexed_at', type: 'timestamptz', nullable: true })
  indexedAt!: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  /** When it took its present state. */
  @Column({ name: 'state_since', type: 'timestamptz', default: () => 'now()' })
  stateSince!: Date;
}

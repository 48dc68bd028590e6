import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

import { VectorPoint } from './vector-point.entity';

/**
 * What the collection beside the live one holds of a point: of the generation that is being built, or of the former one
 * while it is kept up to date. The ledger (`vector_points`) says the same of the live collection.
 */
@Entity('standby_points')
@Index('idx_standby_points_kind', ['kind', 'pointId'])
@Index('idx_standby_points_hash', ['indexedHash', 'kind'])
export class StandbyPoint {
  @PrimaryColumn({ name: 'point_id', type: 'uuid', primaryKeyConstraintName: 'pk_standby_points' })
  pointId!: string;

  @ManyToOne(() => VectorPoint, { nullable: false, onDelete: 'CASCADE' })
  @JoinColumn({ name: 'point_id', foreignKeyConstraintName: 'fk_standby_points_point_id' })
  point!: VectorPoint;

  @Column({ type: 'varchar', length: 50 })
  kind!: string;

  @Column({ name: 'indexed_revision', type: 'bigint' })
  indexedRevision!: string;

  /** Hash of the text whose vector the collection holds; null while it is being replaced. */
  @Column({ name: 'indexed_hash', type: 'char', length: 64, nullable: true })
  indexedHash!: string | null;
}

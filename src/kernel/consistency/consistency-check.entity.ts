import { Column, Entity, PrimaryColumn } from 'typeorm';

import type { DriftKind } from './consistency-report';

/** What the last complete check or repair found, one row a kind, whichever process made it. */
@Entity('consistency_checks')
export class ConsistencyCheck {
  @PrimaryColumn({ type: 'varchar', length: 50, primaryKeyConstraintName: 'pk_consistency_checks' })
  kind!: string;

  /** How much of each drift. */
  @Column({ type: 'jsonb' })
  drift!: Record<DriftKind, number>;

  @Column({ name: 'checked_at', type: 'timestamptz' })
  checkedAt!: Date;

  /** When what was found was queued to be put right; a later check clears it. */
  @Column({ name: 'repaired_at', type: 'timestamptz', nullable: true })
  repairedAt!: Date | null;
}

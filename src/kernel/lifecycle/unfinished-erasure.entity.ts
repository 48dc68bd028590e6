import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

import type { Belonging } from './belongings';

/**
 * An erasure whose record is deleted and whose points may still be there. Holds ids and numbers, nothing that says
 * anything of a person, and is removed once nothing is found any more.
 */
@Entity('unfinished_erasures')
@Unique('uq_unfinished_erasures_record', ['kind', 'recordId'])
export class UnfinishedErasure {
  @PrimaryGeneratedColumn({ type: 'integer', primaryKeyConstraintName: 'pk_unfinished_erasures' })
  id!: number;

  @Column({ type: 'varchar', length: 50 })
  kind!: string;

  @Column({ name: 'record_id', type: 'integer' })
  recordId!: number;

  /** The rows that went. */
  @Column({ type: 'jsonb' })
  belongings!: Belonging[];

  /** Of the records among them that had embeddings: ids and point ids, by kind. */
  @Column({ type: 'jsonb' })
  erased!: { kind: string; ids: number[]; pointIds: string[] }[];

  /** How much there was of what. */
  @Column({ type: 'jsonb' })
  removed!: Record<string, number>;

  @Column({ name: 'requested_at', type: 'timestamptz', default: () => 'now()' })
  requestedAt!: Date;
}

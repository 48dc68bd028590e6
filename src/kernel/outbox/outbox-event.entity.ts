import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';

/**
 * `source`: a record's text or payload may have changed. `point`: one point in Qdrant has to be brought to its row's
 * state. `build`: the same in the collection beside the live one, which nobody waits for. Any other: work of a feature's own
 * that follows once a point has a new vector (`FollowUpTask`).
 */
export type OutboxTopic = 'source' | PointTopic | FollowUpTopic;

export type PointTopic = 'point' | 'build';

/** Lower-case letters and underscores, at most 10. */
export type FollowUpTopic = string & {};

/**
 * One captured change, written by triggers in the writer's own transaction. Append-only, so capture never waits for
 * another writer; changes of one key within one transaction are one event, and the relay takes all events of a key at once.
 */
@Entity('outbox_events')
@Unique('uq_outbox_events_transaction_key', ['capturedXid', 'topic', 'kind', 'key'])
@Index('idx_outbox_events_due', { synchronize: false }) // partial, over (topic, priority, kind, available_at, id) of living events
@Index('idx_outbox_events_key', ['kind', 'key', 'topic'])
@Index('idx_outbox_events_dead', { synchronize: false }) // partial, over (dead_at) of dead events
@Check('chk_outbox_events_topic', "topic ~ '^[a-z_]+$'")
@Check('chk_outbox_events_priority', 'priority IN (0, 1)')
export class OutboxEvent {
  /** Grows with every event; the revision of the change. */
  @PrimaryGeneratedColumn({ type: 'bigint', primaryKeyConstraintName: 'pk_outbox_events' })
  id!: string;

  @Column({ type: 'varchar', length: 10 })
  topic!: OutboxTopic;

  @Column({ type: 'varchar', length: 50 })
  kind!: string;

  /** `source`: the record's id. All others: the point's id. */
  @Column({ type: 'varchar', length: 36 })
  key!: string;

  /** The transaction that made the change; a sync token waits for it. */
  @Column({ name: 'captured_xid', type: 'bigint', default: () => 'kindred_transaction_id()' })
  capturedXid!: string;

  @Column({ name: 'captured_at', type: 'timestamptz', default: () => 'clock_timestamp()' })
  capturedAt!: Date;

  /** 0 for what someone may be waiting for, 1 for bulk work. */
  @Column({ type: 'smallint', default: 0 })
  priority!: number;

  /** Not taken before. */
  @Column({ name: 'available_at', type: 'timestamptz', default: () => 'now()' })
  availableAt!: Date;

  @Column({ name: 'lease_owner', type: 'uuid', nullable: true })
  leaseOwner!: string | null;

  /** Others may take it from then on. */
  @Column({ name: 'leased_until', type: 'timestamptz', nullable: true })
  leasedUntil!: Date | null;

  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  @Column({ name: 'error_code', type: 'varchar', length: 50, nullable: true })
  errorCode!: string | null;

  @Column({ type: 'text', nullable: true })
  error!: string | null;

  /** Set once it is given up. */
  @Column({ name: 'dead_at', type: 'timestamptz', nullable: true })
  deadAt!: Date | null;

  /** W3C trace context of the change, from the transaction's `kindred.traceparent`. */
  @Column({
    name: 'trace_parent',
    type: 'varchar',
    length: 55,
    nullable: true,
    default: () => 'kindred_trace_parent()',
  })
  traceParent!: string | null;
}

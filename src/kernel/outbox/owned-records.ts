import type { SqlRunner } from '../db/database';
import type { RecordKind } from '../record/record-spec';

interface OwnedKind {
  kind: string;
  table: string;
  /** References the owner. */
  column: string;
}

/**
 * Looks after records that are archived with their owner. The trigger on the owner's table queues those that the
 * owner's writer can see; one that comes at the same moment, or after an old snapshot, it cannot. So the relay looks
 * again once the owner's change is committed.
 */
export class OwnedRecords {
  private readonly ownedByKind = new Map<string, OwnedKind[]>();

  /** @param kinds those with embeddings */
  constructor(kinds: readonly RecordKind[]) {
    for (const { kind, table, owner, attributes } of kinds) {
      const attribute = attributes.find(({ property }) => property === owner);
      const ownerKind = attribute?.reference?.kind;
      if (!attribute || ownerKind === undefined) continue;
      const owned = { kind, table, column: attribute.column };
      this.ownedByKind.set(ownerKind, [...(this.ownedByKind.get(ownerKind) ?? []), owned]);
    }
  }

  /**
   * Queues the records of these owners whose points do not say, or are not known to say, whether they are archived. What
   * is queued and not taken yet is left alone: whoever takes it will see the owner as it is now.
   */
  async enqueueStale(sql: SqlRunner, owner: RecordKind, ownerIds: readonly number[]): Promise<void> {
    const owned = this.ownedByKind.get(owner.kind);
    if (!owned || ownerIds.length === 0) return;
    const records = owned.map(
      ({ kind, table, column }) =>
        `SELECT '${kind}' AS kind, t.id, (t.archived_at IS NOT NULL OR o.archived_at IS NOT NULL) AS is_archived
         FROM ${table} t JOIN ${owner.table} o ON o.id = t.${column} WHERE o.id = ANY ($1::int[])`,
    );
    await sql.query(
      `INSERT INTO outbox_events (topic, kind, key, priority)
       SELECT 'source', r.kind, r.id::text, kindred_priority() FROM (${records.join(' UNION ALL ')}) r
       WHERE coalesce((
           SELECT bool_or((p.payload ->> 'archived')::boolean IS DISTINCT FROM r.is_archived) FROM vector_points p
           WHERE p.kind = r.kind AND p.entity_id = r.id AND p.state <> 'deleting'
         ), true)
         AND NOT EXISTS (
           SELECT 1 FROM outbox_events e WHERE e.kind = r.kind AND e.key = r.id::text AND e.topic = 'source'
             AND e.lease_owner IS NULL AND e.dead_at IS NULL
         )
       ON CONFLICT DO NOTHING`,
      [ownerIds],
    );
  }
}

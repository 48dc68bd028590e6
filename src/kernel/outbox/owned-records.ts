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
   * is queued already is left alone where whoever does it sees the owner as it is now: because it is not taken yet, or
   * because the owner has changed only in the transaction that queued it.
   * @param lease of the owners' events
   */
  async enqueueStale(sql: SqlRunner, owner: RecordKind, ownerIds: readonly number[], lease: string): Promise<void> {
    const owned = this.ownedByKind.get(owner.kind);
    if (!owned || ownerIds.length === 0) return;
    const records = owned.map(
      ({ kind, table, column }) =>
        `SELECT '${kind}' AS kind, t.id, o.id AS owner_id, (t.archived_at IS NOT NULL OR o.archived_at IS NOT NULL) AS is_archived
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
             AND e.dead_at IS NULL AND (e.lease_owner IS NULL OR NOT EXISTS (
               SELECT 1 FROM outbox_events change
               WHERE change.kind = $2 AND change.key = r.owner_id::text AND change.topic = 'source'
                 AND change.lease_owner = $3 AND change.captured_xid <> e.captured_xid
             ))
         )
       ON CONFLICT DO NOTHING`,
      [ownerIds, owner.kind, lease],
    );
  }
}

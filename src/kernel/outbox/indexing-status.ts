import type { SqlRunner } from '../db/database';
import type { IndexingStatusRow } from './sync-service';

type Counts = Omit<IndexingStatusRow, 'state'>;

/** One statement for all of these records of one kind; answers in the order asked. */
export async function indexingStatus(
  sql: SqlRunner,
  kind: string,
  ids: readonly number[],
): Promise<IndexingStatusRow[]> {
  const rows = await sql.query<Counts & { id: number }>(
    `SELECT wanted.id,
       points.pending + CASE WHEN events.living > 0 AND points.pending = 0 THEN 1 ELSE 0 END AS pending,
       points.indexed, points.failed + events.dead AS failed,
       coalesce(points.error, events.error) AS error,
       CASE
         WHEN points.failed + events.dead > 0 THEN least(points.failed_since, events.dead_since)
         WHEN points.pending > 0 OR events.living > 0 THEN least(points.pending_since, events.living_since)
         ELSE points.indexed_since
       END AS since
     FROM unnest($2::int[]) AS wanted (id)
     CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE state = 'pending')::int AS pending,
         count(*) FILTER (WHERE state = 'indexed')::int AS indexed,
         count(*) FILTER (WHERE state = 'failed')::int AS failed,
         min(state_since) FILTER (WHERE state = 'pending') AS pending_since,
         max(state_since) FILTER (WHERE state = 'indexed') AS indexed_since,
         min(state_since) FILTER (WHERE state = 'failed') AS failed_since,
         (array_agg(error ORDER BY state, point_id) FILTER (WHERE error IS NOT NULL))[1] AS error
       FROM vector_points WHERE kind = $1 AND entity_id = wanted.id AND state <> 'deleting'
     ) points
     CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE dead_at IS NULL)::int AS living, count(*) FILTER (WHERE dead_at IS NOT NULL)::int AS dead,
         min(captured_at) FILTER (WHERE dead_at IS NULL) AS living_since, min(dead_at) AS dead_since,
         (array_agg(error ORDER BY id DESC) FILTER (WHERE error IS NOT NULL))[1] AS error
       FROM outbox_events WHERE kind = $1 AND key = wanted.id::text AND topic = 'source'
     ) events`,
    [kind, ids],
    'indexing_status',
  );
  const byId = new Map(rows.map(({ id, ...counts }) => [id, { state: stateOf(counts), ...counts }]));
  return ids.map((id) => {
    const status = byId.get(id);
    if (!status) throw new Error(`the status of ${kind} ${id} was not answered`);
    return status;
  });
}

/** FAILED if anything was given up, else PENDING if anything is on its way. */
function stateOf(counts: Counts): IndexingStatusRow['state'] {
  if (counts.failed > 0) return 'FAILED';
  return counts.pending > 0 ? 'PENDING' : 'INDEXED';
}

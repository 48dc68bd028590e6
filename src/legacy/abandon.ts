import { DomainError } from '../kernel/errors/domain-error';
import { endChangeCapture, endKeeping } from './change-capture';
import { Copy } from './copy';
import { begun, ownSchema, rowsOf, type LegacyParts } from './legacy-parts';
import { MoveStore } from './move-store';
import { literal } from './sql-text';

/**
 * Takes the copied rows out of the typed tables again, and ends the move. The records get embeddings of their own.
 * @throws CONFLICT after the cutover
 */
export async function abandon(parts: LegacyParts): Promise<void> {
  const move = begun(await new MoveStore(parts.database).read());
  if (move.state === 'cut over' || move.state === 'dropped') {
    throw new DomainError('CONFLICT', 'The table has been cut over; undo that first, with `kindred legacy rollback`.');
  }
  const row = await rowsOf(parts, move);
  const schema = await ownSchema(parts);
  await new Copy(parts).inTransaction(move, async (transaction) => {
    for (const statement of [endChangeCapture(schema), ...endKeeping(row.kinds, schema)]) {
      await transaction.query(statement);
    }
    for (const kind of row.kinds) {
      await transaction.query(
        `WITH taken AS (DELETE FROM ${kind.table} WHERE legacy_key IS NOT NULL RETURNING ${kind.sourceColumn} AS id)
         INSERT INTO outbox_events (topic, kind, key, priority)
         SELECT DISTINCT 'source', ${literal(kind.kind)}, id::text, 1::smallint FROM taken ON CONFLICT DO NOTHING`,
      );
      await transaction.query(`DROP INDEX IF EXISTS uq_${kind.table}_legacy_id`);
    }
    for (const table of ['legacy_changes', 'legacy_quarantine', 'legacy_move']) {
      await transaction.query(`DELETE FROM ${table}`);
    }
  });
}

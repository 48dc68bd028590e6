import type { SqlRunner } from '../../../kernel/db/database';
import { DomainError } from '../../../kernel/errors/domain-error';

/**
 * Ids of the tags of these names or aliases, in their order.
 * @throws NOT_FOUND
 */
export async function tagIdsOf(sql: SqlRunner, names: readonly string[]): Promise<number[]> {
  const rows = await sql.query<{ name: string; id: number }>(
    `SELECT given.name, known.tag_concept_id AS id FROM unnest($1::text[]) AS given (name)
     JOIN tag_names known ON known.folded = kindred_fold_tag_name(given.name)`,
    [names],
  );
  const byName = new Map(rows.map((row) => [row.name, row.id]));
  return names.map((name) => {
    const id = byName.get(name);
    if (id === undefined) throw new DomainError('NOT_FOUND', `There is no tag '${name}'.`, { details: { name } });
    return id;
  });
}

export async function tagNames(sql: SqlRunner, ids: readonly number[]): Promise<Map<number, string>> {
  const rows = await sql.query<{ id: number; name: string }>(
    'SELECT id, name FROM tag_concepts WHERE id = ANY ($1::int[])',
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.name]));
}

import type { Database, SqlRunner } from '../../../kernel/db/database';
import { badInput } from '../../../kernel/errors/bad-input';
import { DomainError } from '../../../kernel/errors/domain-error';
import { checkText } from '../../../kernel/record/record-input';
import { isBlank } from '../../../kernel/record/storable-text';
import { TagCategory, TagScheme } from '../tag-scheme.entity';

/** What may be said of a scheme; what is left out stays, or is the default of a new one. */
export interface SchemeChanges {
  description?: string | null;
  kinds?: readonly string[];
  threshold?: number;
  maxTags?: number;
  impliesParents?: boolean;
}

const MAX_NAME = 50;
const MAX_CATEGORY = 200;
const MAX_DESCRIPTION = 5000;
const MAX_TAGS = 100;
const DEFAULTS = { kinds: ['story', 'content_item'], threshold: 0.4, maxTags: 5 };

function checkWords(field: string, value: string, max: number): void {
  if (isBlank(value)) throw badInput(field, 'must not be blank');
  checkText(field, value, max);
}

export function checkThreshold(field: string, value: number): void {
  if (!(value >= -1 && value <= 1)) throw badInput(field, `${value} is no cosine; it must be from -1 to 1`);
}

function check(changes: SchemeChanges): void {
  if (changes.description != null) checkWords('input.description', changes.description, MAX_DESCRIPTION);
  if (changes.threshold !== undefined) checkThreshold('input.threshold', changes.threshold);
  const { maxTags } = changes;
  if (maxTags !== undefined && !(maxTags >= 1 && maxTags <= MAX_TAGS)) {
    throw badInput('input.maxTags', `${maxTags} is outside 1 to ${MAX_TAGS}`);
  }
}

const SELECT = `SELECT name, description, kinds, threshold, max_tags AS "maxTags", implies_parents AS "impliesParents",
  created_at AS "createdAt", updated_at AS "updatedAt", created_by AS "createdBy", updated_by AS "updatedBy"
  FROM tag_schemes`;

/** Schemes and the thresholds of their categories. Triggers have everything concerned tagged again. */
export class TagSchemeStore {
  constructor(private readonly database: Database) {}

  async all(): Promise<TagScheme[]> {
    const rows = await this.database.query<TagScheme>(`${SELECT} ORDER BY name`);
    return rows.map((row) => Object.assign(new TagScheme(), row));
  }

  async categories(schemes: readonly string[]): Promise<TagCategory[][]> {
    const rows = await this.database.query<TagCategory>(
      'SELECT scheme, category, threshold FROM tag_categories WHERE scheme = ANY ($1) ORDER BY category',
      [schemes],
    );
    return schemes.map((scheme) =>
      rows.filter((row) => row.scheme === scheme).map((row) => Object.assign(new TagCategory(), row)),
    );
  }

  /** Makes the scheme or changes it. */
  async save(name: string, changes: SchemeChanges, actor: string): Promise<TagScheme> {
    checkWords('name', name, MAX_NAME);
    check(changes);
    const { description, kinds, threshold, maxTags, impliesParents } = changes;
    const given = [description, kinds, threshold, maxTags, impliesParents].map((value) => value ?? null);
    return this.database.transaction({ actor, isBulk: true }, async (transaction) => {
      await transaction.query(
        `INSERT INTO tag_schemes AS scheme (name, description, kinds, threshold, max_tags, implies_parents)
         VALUES ($1, $2, coalesce($3, $7::text[]), coalesce($4, $8::float8), coalesce($5, $9::int), coalesce($6, false))
         ON CONFLICT (name) DO UPDATE SET description = CASE WHEN $10 THEN $2 ELSE scheme.description END,
           kinds = coalesce($3::text[], scheme.kinds), threshold = coalesce($4::float8, scheme.threshold),
           max_tags = coalesce($5::int, scheme.max_tags), implies_parents = coalesce($6::boolean, scheme.implies_parents)`,
        [name, ...given, DEFAULTS.kinds, DEFAULTS.threshold, DEFAULTS.maxTags, description !== undefined],
      );
      const [row] = await transaction.query<TagScheme>(`${SELECT} WHERE name = $1`, [name]);
      return Object.assign(new TagScheme(), row);
    });
  }

  /** @throws CONFLICT there are tags in it */
  async delete(name: string, actor: string): Promise<void> {
    await this.database.transaction({ actor }, async (transaction) => {
      const used = await transaction.query('SELECT 1 FROM tag_concepts WHERE scheme = $1 LIMIT 1', [name]);
      if (used.length > 0) {
        throw new DomainError('CONFLICT', `name: there are tags in the scheme '${name}'; move or delete them first.`, {
          details: { field: 'name' },
        });
      }
      const gone = await transaction.query('DELETE FROM tag_schemes WHERE name = $1 RETURNING name', [name]);
      if (gone.length === 0) throw absent(name);
    });
  }

  /** @param threshold null: that of the scheme counts again */
  async setCategoryThreshold(scheme: string, category: string, threshold: number | null, actor: string): Promise<void> {
    checkWords('category', category, MAX_CATEGORY);
    if (threshold !== null) checkThreshold('threshold', threshold);
    await this.database.transaction({ actor, isBulk: true }, async (transaction) => {
      const known = await transaction.query('SELECT 1 FROM tag_schemes WHERE name = $1 FOR KEY SHARE', [scheme]);
      if (known.length === 0) throw absent(scheme);
      if (threshold === null) {
        await transaction.query('DELETE FROM tag_categories WHERE scheme = $1 AND category = $2', [scheme, category]);
      } else {
        await transaction.query(
          `INSERT INTO tag_categories (scheme, category, threshold) VALUES ($1, $2, $3)
           ON CONFLICT (scheme, category) DO UPDATE SET threshold = EXCLUDED.threshold`,
          [scheme, category, threshold],
        );
      }
    });
  }
}

/** Makes those of these schemes that there are not, with the rules of a new one. */
export async function makeSchemes(sql: SqlRunner, names: ReadonlySet<string>): Promise<void> {
  if (names.size === 0) return;
  await sql.query(
    `INSERT INTO tag_schemes (name, kinds, threshold, max_tags) SELECT name, $2, $3, $4 FROM unnest($1::text[]) AS given (name)
     ON CONFLICT DO NOTHING`,
    [[...names], DEFAULTS.kinds, DEFAULTS.threshold, DEFAULTS.maxTags],
  );
}

/** @throws NOT_FOUND */
export async function requireScheme(sql: SqlRunner, name: string): Promise<void> {
  const known = await sql.query('SELECT 1 FROM tag_schemes WHERE name = $1', [name]);
  if (known.length === 0) throw absent(name);
}

export function absent(scheme: string): DomainError {
  return new DomainError('NOT_FOUND', `scheme: there is no tag scheme '${scheme}'.`, { details: { field: 'scheme' } });
}

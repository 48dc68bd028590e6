import type { Database } from '../../../kernel/db/database';
import type { Route } from '../../../kernel/vector/route';
import type { VectorStore } from '../../../kernel/vector/vector-store';

/** What tagging works with. */
export interface TaggingParts {
  database: Database;
  store: VectorStore;
  /** The live model and its collections; hold on to one for all that is compared and written together. */
  route: () => Route;
}

export const TAG_KIND = 'tag_concept';

/** Who is recorded as the writer of what similarity assigned. */
export const TAGGING_ACTOR = 'kindred-tagging';

/** Below PostgreSQL's deadlock timeout of a second, so that the relay gives way and never a person. */
const LOCK_TIMEOUT = '500ms';

/**
 * What writes assignments holds it shared, what compares a tag with everything holds it alone: so a comparison with a
 * tag's former vector cannot be written after the comparison with the new one.
 */
const LOCK_NAME = 'kindred_tagging';

export const SHARED_LOCK = `SELECT set_config('lock_timeout', '${LOCK_TIMEOUT}', true), pg_advisory_xact_lock_shared(hashtext('${LOCK_NAME}'))`;
export const SOLE_LOCK = `SELECT set_config('lock_timeout', '${LOCK_TIMEOUT}', true), pg_advisory_xact_lock(hashtext('${LOCK_NAME}'))`;

/** For a person, who waits as long as it takes; those who write suggestions then give way. Before any other lock. */
export const PATIENT_SOLE_LOCK = `SELECT pg_advisory_xact_lock(hashtext('${LOCK_NAME}'))`;

import type { SqlRunner } from '../kernel/db/database';
import type { MoveSettings } from './move-settings';

export type MoveState = 'copying' | 'copied' | 'cut over' | 'dropped';

/** How far the move has come. There is one at most in a database. */
export interface Move {
  state: MoveState;
  settings: MoveSettings;
  /** Which walk over the table is under way: rows with a chunk index come before those without. */
  pass: number;
  /** Key of the last row that this walk has taken; null before its first. */
  copiedThrough: string | null;
  verifiedAt: Date | null;
  cutOverAt: Date | null;
}

/** Statements on `legacy_move`. */
export class MoveStore {
  constructor(private readonly sql: SqlRunner) {}

  async read(): Promise<Move | undefined> {
    const [row] = await this.sql.query<Move>(
      `SELECT state, settings, pass, copied_through AS "copiedThrough", verified_at AS "verifiedAt",
         cut_over_at AS "cutOverAt" FROM legacy_move`,
    );
    return row;
  }

  async begin(settings: MoveSettings): Promise<void> {
    await this.sql.query(`INSERT INTO legacy_move (state, settings) VALUES ('copying', $1)`, [settings]);
  }

  /** Walks the table once more, from its first row. */
  async startOver(settings: MoveSettings): Promise<void> {
    await this.sql.query(
      `UPDATE legacy_move SET state = 'copying', settings = $1, pass = 0, copied_through = NULL, verified_at = NULL`,
      [settings],
    );
  }

  async advance(pass: number, copiedThrough: string | null): Promise<void> {
    await this.sql.query('UPDATE legacy_move SET pass = $1, copied_through = $2', [pass, copiedThrough]);
  }

  async setState(state: MoveState): Promise<void> {
    await this.sql.query(
      `UPDATE legacy_move SET state = $1::text, verified_at = NULL,
         cut_over_at = CASE WHEN $1::text = 'cut over' THEN now() WHEN $1::text = 'dropped' THEN cut_over_at END`,
      [state],
    );
  }

  async noteVerified(): Promise<void> {
    await this.sql.query('UPDATE legacy_move SET verified_at = now()');
  }
}

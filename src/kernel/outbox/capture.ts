import type { Database } from '../db/database';
import { DomainError } from '../errors/domain-error';
import type { RecordKind } from '../record/record-spec';
import { findCaptureDamage, type CaptureDamage } from './capture-check';
import { restoreCapture, type CaptureRepair } from './capture-repair';

const MAX_NAMED = 5;
/** A dropped trigger may go unnoticed for so long; the question itself takes milliseconds. */
const WATCH_MS = 30_000;

/** Whether the database captures every change of the tables that vectors follow. */
export class Capture {
  private last: { askedAt: number; damages: Promise<CaptureDamage[]> } | undefined;

  constructor(
    private readonly database: Database,
    private readonly kinds: readonly RecordKind[],
  ) {}

  findDamage(): Promise<CaptureDamage[]> {
    return findCaptureDamage(this.database, this.kinds);
  }

  /** @throws CAPTURE_DAMAGED what lets changes pass, and what to do */
  async check(): Promise<void> {
    const damages = await this.findDamage();
    if (damages.length === 0) return;
    throw (await this.isSchemaNewer()) ? newerSchemaError(damages) : captureDamagedError(damages);
  }

  /**
   * For health reports, which come often: asks the database every half minute at most.
   * @throws CAPTURE_DAMAGED something is missing or disabled. A function that differs is no fault here: a newer program
   * may have migrated the database while this one runs
   */
  async watch(): Promise<void> {
    if (!this.last || performance.now() - this.last.askedAt > WATCH_MS) {
      const asked = { askedAt: performance.now(), damages: this.findDamage() };
      this.last = asked;
      asked.damages.catch(() => {
        if (this.last === asked) this.last = undefined;
      });
    }
    const damages = (await this.last.damages).filter((damage) => damage.problem !== 'altered');
    if (damages.length > 0) throw captureDamagedError(damages);
  }

  async restore(): Promise<CaptureRepair> {
    const repair = await restoreCapture(this.database, this.kinds);
    this.last = undefined;
    return repair;
  }

  private async isSchemaNewer(): Promise<boolean> {
    const { migrations, options } = this.database.dataSource;
    const known = new Set(migrations.map((migration) => migration.name ?? migration.constructor.name));
    const table = options.migrationsTableName ?? 'migrations';
    const applied = await this.database.query<{ name: string }>(`SELECT name FROM ${table}`);
    return applied.some(({ name }) => !known.has(name));
  }
}

function describe(damages: readonly CaptureDamage[]): string[] {
  const named = damages.slice(0, MAX_NAMED).map((damage) => `  - ${damage.message}`);
  return damages.length > MAX_NAMED ? [...named, `  - and ${damages.length - MAX_NAMED} more`] : named;
}

function captureDamagedError(damages: readonly CaptureDamage[]): DomainError {
  const remedies: string[] = [];
  if (damages.some((damage) => damage.table !== null)) {
    remedies.push(
      `Vectors may have missed changes since. 'kindred migrate --restore-capture' makes the triggers anew and has every ` +
        `record concerned looked at again.`,
    );
  }
  if (damages.some((damage) => damage.problem === 'replica')) {
    remedies.push(
      `Take the setting back: ALTER DATABASE … RESET session_replication_role, or the same with ALTER ROLE.`,
    );
  }
  return new DomainError(
    'CAPTURE_DAMAGED',
    ['The database does not capture every change:', ...describe(damages), ...remedies].join('\n'),
    { details: { problems: damages.map((damage) => damage.message) } },
  );
}

function newerSchemaError(damages: readonly CaptureDamage[]): DomainError {
  return new DomainError(
    'CAPTURE_DAMAGED',
    [
      'The database captures changes otherwise than this version of Kindred expects:',
      ...describe(damages),
      'A newer version has migrated it. Start that version.',
    ].join('\n'),
    { details: { problems: damages.map((damage) => damage.message) } },
  );
}

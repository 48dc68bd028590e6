import { performance } from 'node:perf_hooks';

/** A column's value as text: lists as JSON, booleans as words. */
export type Value = string | null;

/** When something that was asked for may have happened. */
export interface Span {
  startedAt: number;
  /** Infinite while the outcome is unknown: a connection that broke may have left its work behind. */
  endedAt: number;
  isAcknowledged: boolean;
}

/** What one column may hold, by the real-time order of the writes to it: several writers may write at once. */
class Register {
  private writes: { value: Value; span: Span }[];

  constructor(value: Value, span: Span) {
    this.writes = [{ value, span }];
  }

  write(value: Value, span: Span): void {
    this.writes.push({ value, span });
    // Whatever had ended before an acknowledged write began has been overwritten by it.
    if (span.isAcknowledged) this.writes = this.writes.filter((other) => other.span.endedAt >= span.startedAt);
  }

  get possible(): Set<Value> {
    return new Set(this.writes.map((write) => write.value));
  }
}

/** Everything asked of one record, and so what may be left of it. */
export class RecordModel {
  /** Once it is known; a row that COPY made is known by its external id only. */
  id: number | undefined;
  readonly deletions: Span[] = [];
  readonly profiles = new Set<RecordModel>();
  private readonly registers: Map<string, Register>;

  /** @param creation of unknown outcome until it is settled */
  constructor(
    readonly kind: string,
    readonly externalId: string,
    readonly creation: Span,
    values: ReadonlyMap<string, Value>,
  ) {
    this.registers = new Map([...values].map(([column, value]) => [column, new Register(value, creation)]));
  }

  write(column: string, value: Value, span: Span): void {
    this.registers.get(column)?.write(value, span);
  }

  possible(column: string): Set<Value> {
    return this.registers.get(column)?.possible ?? new Set();
  }

  get columns(): string[] {
    return [...this.registers.keys()];
  }

  /** Forgets what was possible: this is what is there, and nothing is under way. */
  collapse(values: ReadonlyMap<string, Value>, profile: RecordModel | undefined): void {
    const now = performance.now();
    this.creation.isAcknowledged = true;
    this.creation.endedAt = Math.min(this.creation.endedAt, now);
    this.deletions.length = 0;
    this.profiles.clear();
    if (profile) this.profiles.add(profile);
    const span = { startedAt: now, endedAt: now, isAcknowledged: true };
    for (const [column, value] of values) this.registers.set(column, new Register(value, span));
  }
}

export type Presence = 'must' | 'may' | 'must not';

/** What the database must hold, judged by nothing but what its clients asked for and were told. */
export class Model {
  private readonly records = new Map<string, RecordModel>();
  private readonly truncations: { kinds: readonly string[]; span: Span }[] = [];

  get size(): number {
    return this.records.size;
  }

  add(record: RecordModel): void {
    this.records.set(record.externalId, record);
  }

  /** A record whose creation has definitely failed. */
  remove(record: RecordModel): void {
    this.records.delete(record.externalId);
  }

  get(externalId: string): RecordModel | undefined {
    return this.records.get(externalId);
  }

  truncate(kinds: readonly string[], span: Span): void {
    this.truncations.push({ kinds, span });
  }

  all(kind?: string): RecordModel[] {
    const all = [...this.records.values()];
    return kind === undefined ? all : all.filter((record) => record.kind === kind);
  }

  presence(record: RecordModel): Presence {
    const deletions = deletionsOf(record);
    // A row that was found and deleted is gone for good: external ids are not given twice.
    if (deletions.some((span) => span.isAcknowledged)) return 'must not';
    const truncations = this.truncationsOf(record);
    if (truncations.some((span) => span.isAcknowledged && span.startedAt >= record.creation.endedAt)) return 'must not';
    if (deletions.length > 0 || truncations.length > 0 || !record.creation.isAcknowledged) return 'may';
    return 'must';
  }

  /** Records that may be there, for the next write. */
  living(kind: string): RecordModel[] {
    return this.all(kind).filter((record) => this.presence(record) !== 'must not');
  }

  /** Takes what is there for the truth, when nothing is under way and all has been compared. */
  collapse(found: ReadonlyMap<string, ReadonlyMap<string, Value>>): void {
    for (const record of this.all()) if (!found.has(record.externalId)) this.remove(record);
    for (const record of this.all()) {
      const values = found.get(record.externalId) ?? new Map<string, Value>();
      record.collapse(values, this.get(values.get(PROFILE_COLUMN) ?? ''));
    }
    this.truncations.length = 0;
  }

  private truncationsOf(record: RecordModel): Span[] {
    return this.truncations
      .filter(({ kinds, span }) => kinds.includes(record.kind) && span.endedAt >= record.creation.startedAt)
      .map(({ span }) => span);
  }
}

/** Columns of the model that are not columns of the table: the profile's external id, and whether it is archived. */
export const PROFILE_COLUMN = '(profile)';
export const ARCHIVED_COLUMN = '(archived)';

/** Its own deletions and those of its profile, which took it along. */
function deletionsOf(record: RecordModel): Span[] {
  // One of several profiles that it may have moved between: which, nobody may know.
  const isOfOne = record.profiles.size === 1;
  const cascades = [...record.profiles].flatMap((profile) =>
    profile.deletions.map((span) => (isOfOne ? span : { ...span, isAcknowledged: false })),
  );
  return [...record.deletions, ...cascades];
}

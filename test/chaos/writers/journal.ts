import { performance } from 'node:perf_hooks';

import { ARCHIVED_COLUMN, PROFILE_COLUMN, type Model, RecordModel, type Span, type Value } from '../model';
import type { ChaosKind } from '../kinds';
import type { Random } from '../../support/random';

/** How an operation ended, as its client knows. */
export type Outcome = 'acknowledged' | 'refused' | 'unknown';

let externalIds = 0;

/** What one operation asks for, to be put into the model by how it ends. */
export class Journal {
  private readonly span: Span = { startedAt: performance.now(), endedAt: Infinity, isAcknowledged: false };
  private readonly created: RecordModel[] = [];
  private readonly effects: (() => void)[] = [];

  constructor(private readonly model: Model) {}

  /** In the model from the start: others may see the row before its writer is told. */
  create(
    kind: ChaosKind,
    values: ReadonlyMap<string, Value>,
    profile?: RecordModel,
    externalId = newExternalId(kind),
  ): RecordModel {
    const all = new Map(values);
    all.set(ARCHIVED_COLUMN, 'false');
    if (profile) all.set(PROFILE_COLUMN, profile.externalId);
    const record = new RecordModel(kind.kind, externalId, this.span, all);
    if (profile) record.profiles.add(profile);
    this.created.push(record);
    this.model.add(record);
    return record;
  }

  write(externalIds: readonly string[], column: string, value: Value): void {
    this.effects.push(() => {
      for (const record of this.records(externalIds)) record.write(column, value, this.span);
    });
  }

  move(externalId: string, profile: RecordModel): void {
    this.write([externalId], PROFILE_COLUMN, profile.externalId);
    this.effects.push(() => {
      for (const record of this.records([externalId])) record.profiles.add(profile);
    });
  }

  delete(externalIds: readonly string[]): void {
    this.effects.push(() => {
      for (const record of this.records(externalIds)) record.deletions.push(this.span);
    });
  }

  truncate(kinds: readonly string[]): void {
    this.effects.push(() => this.model.truncate(kinds, this.span));
  }

  end(outcome: Outcome): void {
    if (outcome === 'refused') {
      for (const record of this.created) this.model.remove(record);
      return;
    }
    if (outcome === 'acknowledged') {
      this.span.endedAt = performance.now();
      this.span.isAcknowledged = true;
    }
    for (const effect of this.effects) effect();
  }

  private records(externalIds: readonly string[]): RecordModel[] {
    return externalIds.flatMap((externalId) => this.model.get(externalId) ?? []);
  }
}

function newExternalId(kind: ChaosKind): string {
  return `${kind.kind}-${++externalIds}`;
}

/** All of them, or often only the few oldest, so that writers meet. */
export function crowdedChoice(records: readonly RecordModel[], random: Random): readonly RecordModel[] {
  return random.chance(0.3) ? records.slice(0, 3) : records;
}

import type { Database, Transaction } from '../kernel/db/database';
import { DomainError } from '../kernel/errors/domain-error';
import { readRecordInput, type RecordInput, type RecordValues } from '../kernel/record/record-input';
import type { RecordKind } from '../kernel/record/record-spec';
import { replaceChildren, upsertRecords, type UpsertOutcome } from '../kernel/record/record-upsert';
import { nestedLists } from '../kernel/record/record-writer';
import type { KindRegistry } from '../kernel/record/registry';

/** One record to write, with what it refers to by external id and the children it owns. */
export interface WriteItem {
  kind: string;
  /** By property; must have what the natural key consists of. */
  values: RecordInput;
  /** Settings of a record that is created; one that is there keeps its own. */
  initial?: RecordInput;
  /** External id of the record that a reference points to, by the reference's property. */
  references?: Record<string, string | null>;
  /** Rows by the field that lists them on this record, e.g. `skills`; a list left out is left alone. */
  children?: Record<string, RecordInput[]>;
}

export type WriteOutcome = { outcome: UpsertOutcome } | { outcome: 'rejected'; reason: string };

/** Natural keys other than the external id. */
const NATURAL_KEYS: Record<string, readonly string[]> = { content_item: ['content_type', 'content_id'] };

interface Prepared {
  index: number;
  item: WriteItem;
  values: RecordValues;
  initial: RecordValues;
  children: { kind: RecordKind; property: string; rows: RecordValues[] }[];
}

/**
 * Writes imported records in bulk: created, updated where they differ, or left alone. A bad record is rejected with its
 * reason and does not stop the others. Written as bulk work, which gives way to what someone waits for.
 */
export class ImportWriter {
  constructor(
    private readonly database: Pick<Database, 'transaction'>,
    private readonly registry: KindRegistry,
    private readonly actor = 'import',
  ) {}

  /** Writes records of one kind, all or each on its own. @returns one outcome a record, same order */
  async write(items: readonly WriteItem[]): Promise<WriteOutcome[]> {
    const outcomes = new Array<WriteOutcome>(items.length);
    const [first] = items;
    if (!first) return outcomes;
    const kind = this.registry.kind(first.kind);
    const prepared: Prepared[] = [];
    items.forEach((item, index) => {
      try {
        prepared.push(this.prepare(kind, item, index));
      } catch (error) {
        outcomes[index] = rejection(error);
      }
    });
    for (const group of withoutRepeats(prepared, kind)) {
      await this.writeGroup(kind, group, outcomes);
    }
    return outcomes;
  }

  private prepare(kind: RecordKind, item: WriteItem, index: number): Prepared {
    const values = readRecordInput(kind, this.registry, item.values, 'create', kind.names.label);
    const initial = readRecordInput(kind, this.registry, item.initial ?? {}, 'update', kind.names.label);
    for (const column of naturalKey(kind)) {
      const property = column === 'external_id' ? 'externalId' : propertyOf(kind, column);
      if (values[property] == null) throw new DomainError('BAD_INPUT', `${property} is missing.`);
    }
    const children = nestedLists(kind, this.registry).flatMap(({ child, field, reference }) => {
      const rows = item.children?.[field];
      if (!rows) return [];
      const read = (row: RecordInput, i: number): RecordValues =>
        readRecordInput(child, this.registry, row, 'create', `${field}[${i}]`);
      return [{ kind: child, property: reference, rows: rows.map(read) }];
    });
    return { index, item, values, initial, children };
  }

  /** The whole group in one transaction; one by one when the database refuses it, to find the record at fault. */
  private async writeGroup(kind: RecordKind, group: readonly Prepared[], outcomes: WriteOutcome[]): Promise<void> {
    try {
      const results = await this.database.transaction({ actor: this.actor, isBulk: true }, (transaction) =>
        this.writeRows(transaction, kind, group),
      );
      results.forEach((result, i) => {
        outcomes[(group[i] as Prepared).index] = result;
      });
    } catch (error) {
      if (!(error instanceof DomainError) || error.retryable) throw error;
      const [only] = group;
      if (group.length === 1 && only) {
        outcomes[only.index] = rejection(error);
        return;
      }
      for (const one of group) await this.writeGroup(kind, [one], outcomes);
    }
  }

  private async writeRows(
    transaction: Transaction,
    kind: RecordKind,
    group: readonly Prepared[],
  ): Promise<WriteOutcome[]> {
    await this.resolveReferences(transaction, kind, group);
    await kind.beforeImport?.(
      transaction,
      group.map((one) => one.values),
    );
    const written = await upsertRecords(
      transaction,
      kind,
      group.map((one) => one.values),
      { key: naturalKey(kind), initial: group.map((one) => one.initial) },
    );
    const changed = new Set<number>();
    for (const { child, reference } of nestedLists(kind, this.registry)) {
      const lists = new Map<number, RecordValues[]>();
      group.forEach((one, i) => {
        const list = one.children.find((entry) => entry.kind === child);
        const id = written[i]?.id;
        if (list && id !== undefined) lists.set(id, list.rows);
      });
      if (lists.size === 0) continue;
      for (const id of await replaceChildren(transaction, child, reference, lists)) changed.add(id);
    }
    return written.map(({ id, outcome }) => ({
      outcome: outcome === 'unchanged' && changed.has(id) ? 'updated' : outcome,
    }));
  }

  private async resolveReferences(
    transaction: Transaction,
    kind: RecordKind,
    group: readonly Prepared[],
  ): Promise<void> {
    for (const attribute of kind.attributes) {
      if (!attribute.reference) continue;
      const { property } = attribute;
      const target = this.registry.kind(attribute.reference.kind);
      const named = group.flatMap((one) => one.item.references?.[property] ?? []);
      const rows = await transaction.query<{ id: number; external_id: string }>(
        `SELECT id, external_id FROM ${target.table} WHERE external_id = ANY($1)`,
        [[...new Set(named)]],
      );
      const ids = new Map(rows.map((row) => [row.external_id, row.id]));
      // A tag's parent may be named, too.
      if (target.lookup?.arguments.length === 1) {
        for (const name of new Set(named.filter((one) => !ids.has(one)))) {
          const [row] = await transaction.query<{ id: number }>(
            `SELECT t.id FROM ${target.table} t WHERE ${target.lookup.where}`,
            [name],
          );
          if (row) ids.set(name, row.id);
        }
      }
      for (const one of group) {
        const externalId = one.item.references?.[property];
        const id = externalId == null ? null : ids.get(externalId);
        if (id === undefined || (id === null && !attribute.isNullable)) {
          throw new DomainError(
            'PARENT_NOT_FOUND',
            `${property}: there is no ${target.names.label} with the external id '${externalId ?? ''}'; import it first.`,
          );
        }
        one.values[property] = id;
      }
    }
  }
}

function naturalKey(kind: RecordKind): readonly string[] {
  return NATURAL_KEYS[kind.kind] ?? ['external_id'];
}

function propertyOf(kind: RecordKind, column: string): string {
  return kind.attributes.find((attribute) => attribute.column === column)?.property ?? column;
}

function rejection(error: unknown): WriteOutcome {
  if (!(error instanceof DomainError)) throw error;
  return { outcome: 'rejected', reason: error.message };
}

/** One statement cannot write a key twice: the second of a pair goes into a later group. */
function withoutRepeats(prepared: readonly Prepared[], kind: RecordKind): Prepared[][] {
  const groups: { keys: Set<string>; rows: Prepared[] }[] = [];
  for (const one of prepared) {
    const key = naturalKey(kind)
      .map((column) => String(one.values[column === 'external_id' ? 'externalId' : propertyOf(kind, column)]))
      .join('\u0000');
    let group = groups.find((candidate) => !candidate.keys.has(key));
    if (!group) groups.push((group = { keys: new Set(), rows: [] }));
    group.keys.add(key);
    group.rows.push(one);
  }
  return groups.map((group) => group.rows);
}

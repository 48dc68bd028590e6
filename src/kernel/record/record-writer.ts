import type { Database, Transaction, TransactionSettings } from '../db/database';
import type { EmbeddingRow } from '../embedding/embedding-row';
import { EmbeddingReader, specOf } from '../embedding/embedding-reader';
import { DomainError } from '../errors/domain-error';
import { snakeCase } from './attribute';
import { toGlobalId } from './global-id';
import { readRecordInput, type RecordInput, type RecordValues } from './record-input';
import type { RecordBase } from './record-base';
import { RecordReader } from './record-reader';
import type { RecordKind } from './record-spec';
import type { KindRegistry } from './registry';

/** Lets a caller wait until a transaction's writes are searchable. Called inside it, last. */
export type TokenIssuer = (transaction: Transaction) => Promise<string>;

export interface Written {
  id: number;
  syncToken: string;
}

/** A record as its writer left it; another may have changed or deleted it since. */
export interface WrittenRecord extends Written {
  record: RecordBase;
}

/**
 * Writes records; the vector side follows through the capture triggers, never from here.
 * Every call is one transaction, with the children it creates.
 */
export class RecordWriter {
  constructor(
    private readonly database: Database,
    private readonly registry: KindRegistry,
    private readonly issueToken: TokenIssuer,
  ) {}

  /** @param children records to create below the new one: input objects by child kind */
  async create(kind: RecordKind, input: RecordInput, actor?: string): Promise<WrittenRecord> {
    const values = readRecordInput(kind, this.registry, input, 'create');
    const children = this.childInputs(kind, input);
    return this.write(kind, values, actor, async (transaction) => {
      const [id] = await this.insert(transaction, kind, [values]);
      if (id === undefined) throw new Error(`INSERT into ${kind.table} answered no id`);
      for (const child of children) {
        await this.insert(
          transaction,
          child.kind,
          child.rows.map((row, position) => ({ position, ...row, [child.reference]: id })),
        );
      }
      return this.written(transaction, kind, id);
    });
  }

  /** @throws NOT_FOUND */
  async update(kind: RecordKind, id: number, input: RecordInput, actor?: string): Promise<WrittenRecord> {
    const values = readRecordInput(kind, this.registry, input, 'update');
    return this.write(kind, values, actor, async (transaction) => {
      const current = await transaction.manager.findOne(kind.entity, {
        where: { id },
        lock: { mode: 'pessimistic_write' },
      });
      if (!current) throw this.absent(kind, id);
      kind.validate?.({ ...current, ...values }, 'input');
      if (Object.keys(values).length > 0) await transaction.manager.update(kind.entity, { id }, values);
      return this.written(transaction, kind, id);
    });
  }

  /** Deletes the record and, by cascade, its children and all their points. */
  async delete(kind: RecordKind, id: number, actor?: string): Promise<Written> {
    return this.database.transaction({ actor }, async (transaction) => {
      const { affected } = await transaction.manager.delete(kind.entity, { id });
      if (!affected) throw this.absent(kind, id);
      return { id, syncToken: await this.issueToken(transaction) };
    });
  }

  /** Hides a record from lists and searches, or brings it back; its embeddings stay. No change when it is so already. */
  async setArchived(kind: RecordKind, id: number, isArchived: boolean, actor?: string): Promise<WrittenRecord> {
    return this.database.transaction({ actor }, async (transaction) => {
      const rows = await transaction.query<{ id: number }>(
        `UPDATE ${kind.table} SET archived_at = CASE WHEN $2 THEN coalesce(archived_at, now()) END
         WHERE id = $1 RETURNING id`,
        [id, isArchived],
      );
      if (rows.length === 0) throw this.absent(kind, id);
      return this.written(transaction, kind, id);
    });
  }

  /** The same for one embedding row that is a record of its own, like a story's chunk. */
  async setRowArchived(
    kind: RecordKind,
    rowId: number,
    isArchived: boolean,
    actor?: string,
  ): Promise<Written & { row: EmbeddingRow }> {
    const spec = specOf(kind);
    return this.database.transaction({ actor }, async (transaction) => {
      const rows = await transaction.query<{ id: number }>(
        `UPDATE ${spec.table} SET archived_at = CASE WHEN $2 THEN coalesce(archived_at, now()) END
         WHERE id = $1 RETURNING id`,
        [rowId, isArchived],
      );
      if (rows.length === 0) throw notFound(spec.typeName, spec.typeName, rowId);
      const [row] = await new EmbeddingReader(transaction).byIds(kind, [rowId]);
      if (!row) throw notFound(spec.typeName, spec.typeName, rowId);
      return { id: rowId, row, syncToken: await this.issueToken(transaction) };
    });
  }

  /** A feature's own write, in one transaction, with a token to wait for it. */
  async transact<T>(
    settings: TransactionSettings,
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<{ result: T; syncToken: string }> {
    return this.database.transaction(settings, async (transaction) => {
      const result = await work(transaction);
      return { result, syncToken: await this.issueToken(transaction) };
    });
  }

  /** Reads it while its lock is held: after the commit it may be gone, and the writer's answer with it. */
  private async written(transaction: Transaction, kind: RecordKind, id: number): Promise<WrittenRecord> {
    const [record] = await new RecordReader(transaction, this.registry).byIds(kind, [id]);
    if (!record) throw this.absent(kind, id);
    return { id, record, syncToken: await this.issueToken(transaction) };
  }

  /** One transaction; what the database refuses about a reference is said of the input that the caller sent. */
  private async write<T>(
    kind: RecordKind,
    values: RecordValues,
    actor: string | undefined,
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.database.transaction({ actor }, work);
    } catch (error) {
      const isOfReference =
        error instanceof DomainError && (error.code === 'PARENT_NOT_FOUND' || error.code === 'TAG_CYCLE');
      if (!isOfReference) throw error;
      const attribute = kind.attributes.find(
        (one) => one.reference && snakeCase(String(error.details.field)) === one.column,
      );
      if (!attribute?.reference) throw error;
      const { names } = this.registry.kind(attribute.reference.kind);
      const field = `input.${attribute.property}`;
      const id = toGlobalId(names.type, String(values[attribute.property]));
      const message =
        error.code === 'TAG_CYCLE'
          ? `${field}: ${id} is this ${names.label} itself or below it.`
          : `${field}: there is no ${names.label} ${id}.`;
      throw new DomainError(error.code, message, { cause: error, details: { field } });
    }
  }

  private async insert(transaction: Transaction, kind: RecordKind, rows: readonly RecordValues[]): Promise<number[]> {
    if (rows.length === 0) return [];
    const result = await transaction.manager
      .createQueryBuilder()
      .insert()
      .into(kind.entity)
      .values(rows.map((row) => ({ ...row })))
      .returning('id')
      .execute();
    return (result.raw as { id: number }[]).map((row) => row.id);
  }

  private childInputs(
    kind: RecordKind,
    input: RecordInput,
  ): { kind: RecordKind; reference: string; rows: RecordValues[] }[] {
    return nestedLists(kind, this.registry).flatMap(({ child, field, reference }) => {
      const rows = input[field] as RecordInput[] | null | undefined;
      if (!rows || rows.length === 0) return [];
      const read = (row: RecordInput, i: number): RecordValues =>
        readRecordInput(child, this.registry, row, 'create', `input.${field}[${i}]`);
      return [{ kind: child, reference, rows: rows.map(read) }];
    });
  }

  private absent(kind: RecordKind, id: number): DomainError {
    return notFound(kind.names.label, kind.names.type, id);
  }
}

function notFound(label: string, typeName: string, id: number): DomainError {
  return new DomainError('NOT_FOUND', `There is no ${label} ${toGlobalId(typeName, id)}.`, {
    details: { field: 'id' },
  });
}

export interface NestedList {
  child: RecordKind;
  /** Field on the parent. */
  field: string;
  /** Property of the child that points to the parent. */
  reference: string;
}

/** The children that belong to one parent alone, and so can be created with it. */
export function nestedLists(kind: RecordKind, registry: KindRegistry): NestedList[] {
  return registry.all.flatMap((child) =>
    (child.lists ?? [])
      .filter((list) => list.shape === 'list' && list.reference === child.owner)
      .filter((list) => child.attributes.some((a) => a.property === list.reference && a.reference?.kind === kind.kind))
      .map((list) => ({ child, field: list.field, reference: list.reference })),
  );
}

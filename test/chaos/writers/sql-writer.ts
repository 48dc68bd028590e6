import { setTimeout as delay } from 'node:timers/promises';

import type { Client } from 'pg';

import type { Counters } from '../counters';
import { chaosKinds, kindOf, truncations, type ChaosField, type ChaosKind } from '../kinds';
import { ARCHIVED_COLUMN, type Model, type RecordModel, type Value } from '../model';
import type { Random } from '../../support/random';
import { crowdedChoice, Journal } from './journal';
import { abandon, connect, copyIn, copyValue, isRefusal, type DatabaseAddress } from './sql-client';
import { Texts } from './texts';

/** Records of a kind that there should be at most. */
const CROWD = 40;
const LONGEST_HOLD_MS = 1_500;
const APPLICATION = 'chaos writer';

/** Does one thing inside a transaction. @returns whether to commit */
type Step = (client: Client, journal: Journal) => Promise<boolean>;

const OPERATIONS = {
  insert: 20,
  insertTree: 4,
  copy: 2,
  update: 30,
  bulkUpdate: 3,
  delete: 7,
  archive: 5,
  restore: 5,
  move: 3,
  tag: 3,
  rename: 2,
  tamper: 1,
  takeRows: 1,
  putRowsBack: 1,
  rollBack: 6,
  hold: 2,
  severalAtOnce: 4,
  truncate: 0.15,
};
const ISOLATION_LEVELS = { 'READ COMMITTED': 8, 'REPEATABLE READ': 1, SERIALIZABLE: 1 };
type OperationName = keyof typeof OPERATIONS;

const insertedFields = (kind: ChaosKind): string[] => kind.fields.map((field) => field.column);

/** Another program that writes the tables: plain SQL, knowing nothing of embeddings. */
export class SqlWriter {
  private readonly texts: Texts;
  private client: Client | undefined;
  /** Embedding rows that were deleted and may come back. */
  private readonly taken: { kind: ChaosKind; rows: object[] }[] = [];

  constructor(
    private readonly address: DatabaseAddress,
    private readonly model: Model,
    private readonly random: Random,
    private readonly counters: Counters,
  ) {
    this.texts = new Texts(random);
  }

  /** One transaction, whatever comes of it. */
  async step(): Promise<void> {
    const name = this.random.weighted(OPERATIONS);
    const journal = new Journal(this.model);
    let isCommitting = false;
    try {
      this.client ??= await connect(this.address, APPLICATION);
      const { client } = this;
      await client.query(`BEGIN ISOLATION LEVEL ${this.random.weighted(ISOLATION_LEVELS)}`);
      const isKept = await this.operation(name)(client, journal);
      isCommitting = isKept;
      const { command } = await client.query(isKept ? 'COMMIT' : 'ROLLBACK');
      const isCommitted = command === 'COMMIT';
      journal.end(isCommitted ? 'acknowledged' : 'refused');
      this.counters.operation(`sql ${name}`, isCommitted ? 'acknowledged' : 'refused');
    } catch (error) {
      const isUnknown = isCommitting && !isRefusal(error);
      journal.end(isUnknown ? 'unknown' : 'refused');
      this.counters.operation(`sql ${name}`, isUnknown ? 'unknown' : 'refused');
      await this.recover(error);
    }
  }

  /** Ends the connection. */
  close(): void {
    if (this.client) abandon(this.client);
    this.client = undefined;
  }

  private async recover(error: unknown): Promise<void> {
    const code = (error as { code?: string }).code;
    if (this.client && isRefusal(error)) {
      if (code !== undefined && /^(42|22)/.test(code)) throw error; // A mistake in the harness itself.
      try {
        await this.client.query('ROLLBACK');
        return;
      } catch {
        // It has broken as well.
      }
    }
    this.close();
    await delay(100);
  }

  private operation(name: OperationName): Step {
    switch (name) {
      case 'insert':
        return (client, journal) => this.insert(client, journal, this.random.pick(chaosKinds));
      case 'insertTree':
        return (client, journal) => this.insertTree(client, journal);
      case 'copy':
        return (client, journal) => this.copy(client, journal);
      case 'update':
        return (client, journal) => this.update(client, journal);
      case 'bulkUpdate':
        return (client, journal) => this.bulkUpdate(client, journal);
      case 'delete':
        return (client, journal) => this.delete(client, journal, this.random.pick(chaosKinds));
      case 'archive':
        return (client, journal) => this.archive(client, journal, true);
      case 'restore':
        return (client, journal) => this.archive(client, journal, false);
      case 'move':
        return (client, journal) => this.move(client, journal);
      case 'tag':
        return (client) => this.tag(client);
      case 'rename':
        return (client) => this.reparentTag(client);
      case 'tamper':
        return (client) => this.tamper(client);
      case 'takeRows':
        return (client) => this.takeRows(client);
      case 'putRowsBack':
        return (client) => this.putRowsBack(client);
      case 'rollBack':
        return async (client, journal) => {
          await this.some(client, journal);
          return false;
        };
      case 'hold':
        return async (client, journal) => {
          const name = this.random.weighted({ update: 1, archive: 1, restore: 1, move: 1, delete: 1, insert: 1 });
          await this.operation(name)(client, journal);
          await delay(this.random.int(100, LONGEST_HOLD_MS));
          return true;
        };
      case 'severalAtOnce':
        return (client, journal) => this.some(client, journal);
      case 'truncate':
        return (client, journal) => this.truncate(client, journal);
    }
  }

  /** Several things in one transaction. */
  private async some(client: Client, journal: Journal): Promise<boolean> {
    const count = this.random.int(1, 4);
    for (let i = 0; i < count; i++) {
      const name = this.random.weighted({ insert: 3, update: 4, delete: 1, archive: 1, move: 1 });
      await this.operation(name)(client, journal);
    }
    return true;
  }

  private async insert(client: Client, journal: Journal, kind: ChaosKind): Promise<boolean> {
    if (this.model.living(kind.kind).length >= CROWD) return this.delete(client, journal, kind);
    const profile = kind.hasProfile ? await this.lockedProfile(client) : undefined;
    if (kind.hasProfile && !profile) return true;
    await this.insertOne(client, journal, kind, profile);
    return true;
  }

  private async insertOne(
    client: Client,
    journal: Journal,
    kind: ChaosKind,
    profile: RecordModel | undefined,
  ): Promise<RecordModel> {
    const values = this.values(kind);
    const record = journal.create(kind, values, profile);
    const columns = ['external_id', ...insertedFields(kind)];
    const parameters: unknown[] = [record.externalId, ...kind.fields.map((field) => toSql(field, values))];
    if (profile) {
      columns.push('profile_id');
      parameters.push(profile.id);
    }
    if (kind.kind === 'content_item') {
      columns.push('content_type', 'content_id');
      parameters.push('document', record.externalId);
    }
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO ${kind.table} (${columns.join(', ')})
       VALUES (${parameters.map((_, i) => `$${i + 1}`).join(', ')}) RETURNING id`,
      parameters,
    );
    record.id = rows[0]?.id;
    return record;
  }

  private async insertTree(client: Client, journal: Journal): Promise<boolean> {
    const root = chaosKinds[0] as ChaosKind;
    if (this.model.living(root.kind).length >= CROWD) return this.delete(client, journal, root);
    const profile = await this.insertOne(client, journal, root, undefined);
    for (const kind of chaosKinds.filter((candidate) => candidate.hasProfile)) {
      const count = this.random.int(0, 2);
      for (let i = 0; i < count; i++) await this.insertOne(client, journal, kind, profile);
    }
    return true;
  }

  private async copy(client: Client, journal: Journal): Promise<boolean> {
    const kind = this.random.pick(chaosKinds.filter((candidate) => !candidate.hasProfile));
    if (this.model.living(kind.kind).length >= CROWD) return this.delete(client, journal, kind);
    const isContent = kind.kind === 'content_item';
    const lines = Array.from({ length: this.random.int(3, 20) }, () => {
      const values = this.values(kind);
      const { externalId } = journal.create(kind, values);
      const cells = kind.fields.map((field) => copyCell(field, values));
      return [externalId, ...(isContent ? ['document', externalId] : []), ...cells].join('\t');
    });
    const columns = ['external_id', ...(isContent ? ['content_type', 'content_id'] : []), ...insertedFields(kind)];
    await copyIn(client, `COPY ${kind.table} (${columns.join(', ')}) FROM STDIN`, lines);
    return true;
  }

  private async update(client: Client, journal: Journal): Promise<boolean> {
    const kind = this.random.pick(chaosKinds);
    const record = this.someRecord(kind);
    if (!record) return this.insert(client, journal, kind);
    const fields = kind.fields.filter(() => this.random.chance(0.5));
    const chosen = fields.length > 0 ? fields : [this.random.pick(kind.fields)];
    const values = this.values(kind);
    const { rowCount } = await client.query(
      `UPDATE ${kind.table} SET ${chosen.map((field, i) => `${field.column} = $${i + 2}`).join(', ')} WHERE external_id = $1`,
      [record.externalId, ...chosen.map((field) => toSql(field, values))],
    );
    if (rowCount) {
      for (const { column } of chosen) journal.write([record.externalId], column, values.get(column) ?? null);
    }
    return true;
  }

  private async bulkUpdate(client: Client, journal: Journal): Promise<boolean> {
    const kind = this.random.pick(chaosKinds);
    const field = this.random.pick(kind.fields);
    const values = this.values(kind);
    const { rows } = await client.query<{ externalId: string }>(
      `UPDATE ${kind.table} SET ${field.column} = $1 WHERE id % 3 = $2 RETURNING external_id AS "externalId"`,
      [toSql(field, values), this.random.int(0, 2)],
    );
    const externalIds = rows.map((row) => row.externalId);
    journal.write(externalIds, field.column, values.get(field.column) ?? null);
    return true;
  }

  private async delete(client: Client, journal: Journal, kind: ChaosKind): Promise<boolean> {
    const record = this.someRecord(kind);
    if (!record) return true;
    // A few at once where there is a crowd.
    const { rows } = await client.query<{ externalId: string }>(
      `DELETE FROM ${kind.table} WHERE external_id = $1 OR ($2 AND id % 5 = 0) RETURNING external_id AS "externalId"`,
      [record.externalId, this.model.living(kind.kind).length >= CROWD],
    );
    journal.delete(rows.map((row) => row.externalId));
    return true;
  }

  private async archive(client: Client, journal: Journal, isArchived: boolean): Promise<boolean> {
    const kind = this.random.pick(chaosKinds);
    const record = this.someRecord(kind);
    if (!record) return true;
    const { rowCount } = await client.query(
      `UPDATE ${kind.table} SET archived_at = CASE WHEN $2 THEN now() END WHERE external_id = $1`,
      [record.externalId, isArchived],
    );
    if (rowCount) journal.write([record.externalId], ARCHIVED_COLUMN, String(isArchived));
    return true;
  }

  private async move(client: Client, journal: Journal): Promise<boolean> {
    const kind = this.random.pick(chaosKinds.filter((candidate) => candidate.hasProfile));
    const record = this.someRecord(kind);
    const profile = record && (await this.lockedProfile(client));
    if (!profile) return true;
    const { rowCount } = await client.query(`UPDATE ${kind.table} SET profile_id = $2 WHERE external_id = $1`, [
      record.externalId,
      profile.id,
    ]);
    if (rowCount) journal.move(record.externalId, profile);
    return true;
  }

  private async tag(client: Client): Promise<boolean> {
    await client.query(
      `INSERT INTO story_chunk_tags (story_chunk_id, tag_concept_id, source, status)
       SELECT chunk.id, tag.id, 'manual', 'accepted'
       FROM (SELECT id FROM story_chunk_embeddings ORDER BY random() LIMIT 1) chunk,
            (SELECT id FROM tag_concepts ORDER BY random() LIMIT 1) tag
       ON CONFLICT DO NOTHING`,
    );
    return true;
  }

  private async reparentTag(client: Client): Promise<boolean> {
    await client.query(
      `UPDATE tag_concepts SET parent_id = (SELECT id FROM tag_concepts ORDER BY random() LIMIT 1)
       WHERE id = (SELECT max(id) FROM tag_concepts)`,
    );
    return true;
  }

  /** Rows that are the relay's to write, written by somebody else. */
  private async tamper(client: Client): Promise<boolean> {
    const kind = this.random.pick(chaosKinds);
    const record = this.someRecord(kind);
    if (!record) return true;
    const rows = `${kind.sourceColumn} = (SELECT id FROM ${kind.table} WHERE external_id = $1)`;
    const statement = this.random.pick([
      `DELETE FROM ${kind.embeddingTable} WHERE ${rows}`,
      `UPDATE ${kind.embeddingTable} SET qdrant_point_id = gen_random_uuid() WHERE ${rows}`,
      `UPDATE ${kind.embeddingTable} SET archived_at = now() WHERE ${rows}`,
      `UPDATE ${kind.embeddingTable} SET text = text || ' tampered' WHERE ${rows}`,
      `UPDATE ${kind.embeddingTable} SET start_offset = 0, end_offset = 1, token_count = 0 WHERE ${rows}`,
    ]);
    await client.query(statement, [record.externalId]);
    return true;
  }

  /** Deletes embedding rows, and keeps them. */
  private async takeRows(client: Client): Promise<boolean> {
    const kind = this.random.pick(chaosKinds);
    const record = this.someRecord(kind);
    if (!record) return true;
    const { rows } = await client.query<{ row: object }>(
      `DELETE FROM ${kind.embeddingTable} row
       WHERE ${kind.sourceColumn} = (SELECT id FROM ${kind.table} WHERE external_id = $1) RETURNING to_jsonb(row) AS row`,
      [record.externalId],
    );
    if (rows.length > 0) this.taken.push({ kind, rows: rows.map(({ row }) => row) });
    return true;
  }

  /** The same rows with the same point ids once more, as a restored backup has them. Refused where others took their place. */
  private async putRowsBack(client: Client): Promise<boolean> {
    const taken = this.taken.shift();
    if (!taken) return true;
    const { embeddingTable } = taken.kind;
    await client.query(
      `INSERT INTO ${embeddingTable} SELECT * FROM jsonb_populate_recordset(NULL::${embeddingTable}, $1)`,
      [JSON.stringify(taken.rows)],
    );
    return true;
  }

  private async truncate(client: Client, journal: Journal): Promise<boolean> {
    const table = this.random.pick(Object.keys(truncations));
    await client.query(`TRUNCATE ${table} CASCADE`);
    journal.truncate(truncations[table] ?? []);
    return true;
  }

  private values(kind: ChaosKind): Map<string, Value> {
    return new Map(kind.fields.map((field) => [field.column, this.texts.value(field)]));
  }

  private someRecord(kind: ChaosKind): RecordModel | undefined {
    const living = this.model.living(kind.kind);
    return living.length > 0 ? this.random.pick(crowdedChoice(living, this.random)) : undefined;
  }

  /** A profile that cannot be deleted before this transaction ends. */
  private async lockedProfile(client: Client): Promise<RecordModel | undefined> {
    const profile = this.someRecord(kindOf.get('profile') as ChaosKind);
    if (!profile) return undefined;
    const { rows } = await client.query<{ id: number }>(
      'SELECT id FROM profiles WHERE external_id = $1 FOR KEY SHARE',
      [profile.externalId],
    );
    profile.id = rows[0]?.id ?? profile.id;
    return rows.length > 0 ? profile : undefined;
  }
}

function toSql(field: ChaosField, values: ReadonlyMap<string, Value>): unknown {
  const value = values.get(field.column) ?? null;
  if (value === null) return null;
  if (field.type === 'list') return JSON.parse(value);
  return field.type === 'boolean' ? value === 'true' : value;
}

function copyCell(field: ChaosField, values: ReadonlyMap<string, Value>): string {
  const value = values.get(field.column) ?? null;
  if (value === null || field.type !== 'list') return copyValue(value);
  return copyValue(`{${(JSON.parse(value) as string[]).map((item) => JSON.stringify(item)).join(',')}}`);
}

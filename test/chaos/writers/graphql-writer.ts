import { setTimeout as delay } from 'node:timers/promises';

import type { Counters } from '../counters';
import { chaosKinds, kindOf, type ChaosField, type ChaosKind } from '../kinds';
import { ARCHIVED_COLUMN, type Model, type RecordModel, type Value } from '../model';
import type { Random } from '../../support/random';
import { crowdedChoice, Journal, type Outcome } from './journal';
import { Texts } from './texts';

const CROWD = 40;
const ANSWER_TIMEOUT_MS = 15_000;
const OPERATIONS = { create: 5, createTree: 1, update: 8, delete: 2, archive: 2, restore: 2 };
/** Codes that say for certain that nothing was written. */
const REFUSALS = new Set(['CONFLICT', 'NOT_FOUND', 'PARENT_NOT_FOUND', 'TAG_CYCLE']);

interface Answer {
  data?: Record<string, { syncToken?: string; [field: string]: unknown } | null> | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** A client of the API, over HTTP. */
export class GraphQLWriter {
  private readonly texts: Texts;

  constructor(
    private readonly url: () => string,
    private readonly model: Model,
    private readonly random: Random,
    private readonly counters: Counters,
  ) {
    this.texts = new Texts(random);
  }

  async step(): Promise<void> {
    const kind = this.random.pick(chaosKinds);
    const isCrowded = this.model.living(kind.kind).length >= CROWD;
    const name = isCrowded ? 'delete' : this.random.weighted(OPERATIONS);
    const record = this.someRecord(kind);
    switch (name) {
      case 'create':
        return this.create(kind);
      case 'createTree':
        return this.createTree();
      case 'update':
        return record ? this.update(kind, record) : this.create(kind);
      case 'delete':
        if (!record) return this.create(kind);
        return this.change(name, `delete${kind.mutation}`, record, (journal) => journal.delete([record.externalId]));
      case 'archive':
      case 'restore':
        if (!record) return this.create(kind);
        return this.change(name, `${name}${kind.mutation}`, record, (journal) =>
          journal.write([record.externalId], ARCHIVED_COLUMN, String(name === 'archive')),
        );
    }
  }

  private async create(kind: ChaosKind): Promise<void> {
    const profile = kind.hasProfile ? this.someRecord(kindOf.get('profile') as ChaosKind) : undefined;
    if (kind.hasProfile && profile?.id === undefined) return;
    const journal = new Journal(this.model);
    const values = this.values(kind);
    const record = journal.create(kind, values, profile);
    const input: Record<string, unknown> = { externalId: record.externalId, ...inputOf(kind.fields, values) };
    if (profile) input.profileId = globalId('Profile', profile.id as number);
    if (kind.kind === 'content_item') Object.assign(input, { contentType: 'document', contentId: record.externalId });
    await this.mutate('create', journal, {
      query: `mutation ($input: Create${kind.mutation}Input!) {
        result: create${kind.mutation}(input: $input) { record: ${kind.payloadField} { id } syncToken } }`,
      variables: { input },
      onData: (result) => (record.id = serialOf((result.record as { id: string }).id)),
    });
  }

  private async createTree(): Promise<void> {
    const root = kindOf.get('profile') as ChaosKind;
    const journal = new Journal(this.model);
    const values = this.values(root);
    const profile = journal.create(root, values);
    const input: Record<string, unknown> = { externalId: profile.externalId, ...inputOf(root.fields, values) };
    const lists = { skills: 'skill', projects: 'project', workExperiences: 'work_experience', educations: 'education' };
    for (const [name, kindName] of Object.entries(lists)) {
      const kind = kindOf.get(kindName) as ChaosKind;
      input[name] = Array.from({ length: this.random.int(0, 3) }, () => {
        const childValues = this.values(kind);
        const child = journal.create(kind, childValues, profile);
        return { externalId: child.externalId, ...inputOf(kind.fields, childValues) };
      });
    }
    await this.mutate('createTree', journal, {
      query: `mutation ($input: CreateProfileInput!) { result: createProfile(input: $input) { record: profile { id } syncToken } }`,
      variables: { input },
      onData: (result) => (profile.id = serialOf((result.record as { id: string }).id)),
    });
  }

  private async update(kind: ChaosKind, record: RecordModel): Promise<void> {
    const fields = kind.fields.filter(() => this.random.chance(0.5));
    const chosen = fields.length > 0 ? fields : [this.random.pick(kind.fields)];
    const values = this.values(kind);
    const journal = new Journal(this.model);
    for (const { column } of chosen) journal.write([record.externalId], column, values.get(column) ?? null);
    await this.mutate('update', journal, {
      query: `mutation ($id: ID!, $input: Update${kind.mutation}Input!) {
        result: update${kind.mutation}(id: $id, input: $input) { syncToken } }`,
      variables: { id: globalId(kind.typeName, record.id as number), input: inputOf(chosen, values) },
    });
  }

  private async change(
    name: string,
    mutation: string,
    record: RecordModel,
    note: (journal: Journal) => void,
  ): Promise<void> {
    const journal = new Journal(this.model);
    note(journal);
    const kind = kindOf.get(record.kind) as ChaosKind;
    await this.mutate(name, journal, {
      query: `mutation ($id: ID!) { result: ${mutation}(id: $id) { syncToken } }`,
      variables: { id: globalId(kind.typeName, record.id as number) },
    });
  }

  private async mutate(
    name: string,
    journal: Journal,
    request: { query: string; variables: object; onData?: (result: Record<string, unknown>) => void },
  ): Promise<void> {
    let outcome: Outcome = 'unknown';
    try {
      const response = await fetch(`${this.url()}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: request.query, variables: request.variables }),
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      const { data, errors } = (await response.json()) as Answer;
      const code = errors?.[0]?.extensions?.code ?? 'none';
      if (data?.result) {
        outcome = 'acknowledged';
        request.onData?.(data.result);
      } else {
        if (REFUSALS.has(code)) outcome = 'refused';
        this.counters.answer(code, errors?.[0]?.message ?? `status ${response.status}`);
      }
    } catch (error) {
      // Not back yet after it was killed: nobody has heard the request.
      const cause = (error as { cause?: { code?: string } }).cause?.code;
      if (cause === 'ECONNREFUSED') outcome = 'refused';
      await delay(200);
    }
    journal.end(outcome);
    this.counters.operation(`graphql ${name}`, outcome);
  }

  private values(kind: ChaosKind): Map<string, Value> {
    return new Map(kind.fields.map((field) => [field.column, this.texts.value(field)]));
  }

  /** One whose id is known. */
  private someRecord(kind: ChaosKind): RecordModel | undefined {
    const living = this.model.living(kind.kind).filter((record) => record.id !== undefined);
    return living.length > 0 ? this.random.pick(crowdedChoice(living, this.random)) : undefined;
  }
}

function inputOf(fields: readonly ChaosField[], values: ReadonlyMap<string, Value>): Record<string, unknown> {
  return Object.fromEntries(
    fields.map((field) => {
      const value = values.get(field.column) ?? null;
      if (value === null) return [field.input, null];
      if (field.type === 'list') return [field.input, JSON.parse(value)];
      return [field.input, field.type === 'boolean' ? value === 'true' : value];
    }),
  );
}

function globalId(typeName: string, id: number): string {
  return Buffer.from(`${typeName}:${id}`).toString('base64');
}

function serialOf(id: string): number {
  return Number(Buffer.from(id, 'base64').toString().split(':')[1]);
}

import { InvalidArgumentError, type Command } from 'commander';

import type { Core } from '../app/core';
import { DomainError } from '../kernel/errors/domain-error';
import type { VectorLayout } from '../kernel/vector/vector-store';
import { kindsOf, type LegacyParts } from '../legacy/legacy-parts';
import { columnRoles, inspectTable, type ColumnRole } from '../legacy/legacy-table';
import type { MoveSettings } from '../legacy/move-settings';
import { chooseHome } from '../legacy/vector-home';
import { recordKinds } from '../features/registry';

export interface TableOptions {
  table: string;
  column: Record<string, string>;
  mapType: Record<string, string>;
  mapEmbedding: Record<string, string>;
  matchBy: MoveSettings['matchBy'];
  timeZone?: string;
  collection?: string;
  vector?: string;
  reembed?: boolean;
  json?: boolean;
}

const MATCHES: Record<string, MoveSettings['matchBy']> = { id: 'id', uuid: 'uuid', 'external-id': 'external_id' };

export function pair(value: string, before: Record<string, string>): Record<string, string> {
  const at = value.indexOf('=');
  if (at < 1 || at === value.length - 1) throw new InvalidArgumentError('Give it as FROM=TO.');
  return { ...before, [value.slice(0, at)]: value.slice(at + 1) };
}

function match(value: string): MoveSettings['matchBy'] {
  const found = MATCHES[value];
  if (!found) throw new InvalidArgumentError(`One of ${Object.keys(MATCHES).join(', ')}.`);
  return found;
}

/** Options that say what the table is and how its rows are to be read. */
export function addTableOptions(command: Command): Command {
  return command
    .option('--table <name>', 'the polymorphic table, as name or schema.name', 'vector_embeddings')
    .option('--column <usual=name>', 'a column that is called otherwise; may be given several times', pair, {})
    .option('--map-type <from=to>', 'an entity type that is called otherwise here', pair, {})
    .option('--map-embedding <from=to>', 'an embedding type that is called otherwise here', pair, {})
    .option('--match-by <what>', `what entity_id holds: ${Object.keys(MATCHES).join(', ')}`, match, 'id')
    .option('--time-zone <zone>', 'of timestamps that have none; the database’s unless given');
}

export function addPointOptions(command: Command): Command {
  return command
    .option('--collection <name>', 'the collection in Qdrant that has the points')
    .option('--vector <name>', 'which of its vectors to take over, where it has several');
}

export function partsOf(core: Core): LegacyParts {
  const { database, store, catalog, services } = core;
  return { database, store, consistency: services.consistency, model: catalog.liveModel, kinds: recordKinds };
}

export function columnsOf(columns: Record<string, string>): Partial<Record<ColumnRole, string>> {
  const roles: Partial<Record<ColumnRole, string>> = {};
  for (const [usual, name] of Object.entries(columns)) {
    const role = (Object.keys(columnRoles) as ColumnRole[]).find((one) => columnRoles[one] === usual);
    if (!role) {
      throw new DomainError('BAD_INPUT', `--column: '${usual}' is none of ${Object.values(columnRoles).join(', ')}.`);
    }
    roles[role] = name;
  }
  return roles;
}

/** @throws BAD_INPUT when a type is mapped to a kind that there is not */
function checkTypes(parts: LegacyParts, mapped: Record<string, string>): void {
  const kinds = kindsOf(parts).map(({ kind }) => kind);
  for (const to of Object.values(mapped)) {
    if (!kinds.includes(to)) throw new DomainError('BAD_INPUT', `--map-type: '${to}' is none of ${kinds.join(', ')}.`);
  }
}

/** Settings as the options say them, the table's own name aside. */
export async function readSettingsOf(
  parts: LegacyParts,
  options: TableOptions,
): Promise<Omit<MoveSettings, 'table'> & { table: string; layout: VectorLayout | null }> {
  checkTypes(parts, options.mapType);
  const [zone] = await parts.database.query<{ zone: string; isKnown: boolean }>(
    `SELECT coalesce($1, current_setting('TimeZone')) AS zone,
       $1::text IS NULL OR EXISTS (SELECT FROM pg_timezone_names WHERE name = $1) AS "isKnown"`,
    [options.timeZone ?? null],
  );
  if (!zone?.isKnown) {
    throw new DomainError(
      'BAD_INPUT',
      `--time-zone: '${options.timeZone}' is no time zone; give one like Europe/Berlin or UTC.`,
    );
  }
  const chosen =
    options.collection === undefined
      ? undefined
      : await chooseHome(parts.store, parts.model, options.collection, options.vector);
  return {
    table: options.table,
    columns: columnsOf(options.column),
    entityTypes: options.mapType,
    embeddingTypes: options.mapEmbedding,
    matchBy: options.matchBy,
    timeZone: zone.zone,
    vectorHome: options.reembed ? null : (chosen?.home ?? null),
    layout: chosen?.layout ?? null,
  };
}

/** @throws BAD_INPUT when nobody said where the points are */
export async function moveSettingsOf(parts: LegacyParts, options: TableOptions): Promise<MoveSettings> {
  if (options.collection === undefined && !options.reembed) {
    throw new DomainError(
      'BAD_INPUT',
      'Say where the points are, with --collection NAME (`kindred legacy plan` finds it), or have everything embedded anew, with --reembed.',
    );
  }
  const { layout: _, ...settings } = await readSettingsOf(parts, options);
  const { schema, name } = await inspectTable(parts.database, settings.table, settings.columns);
  return { ...settings, table: { schema, name } };
}

import type { Collection } from '../engine/collection';
import { both, type Filter } from '../filter/filter';
import type { Json } from '../json/json-value';
import { valuesAt, type JsonPath } from '../payload/json-path';
import type { Stage } from '../schema/query.schema';
import type { Hit } from './hit';
import type { QueryRunner } from './run-query';

export type GroupId = string | number;

export interface Group {
  id: GroupId;
  hits: Hit[];
}

/**
 * The groups with the best hits, each with its best hits. Exact: ever longer result lists are fetched until the groups
 * are settled; then the chosen groups are filled by searching within them alone.
 */
export function runGroups(
  collection: Collection,
  runner: QueryRunner,
  stage: Stage,
  groupBy: JsonPath,
  groupSize: number,
): Group[] {
  const count = stage.limit;
  const hasField: Filter = {
    mustNot: [{ kind: 'field', path: groupBy, tests: [{ test: 'is_empty', isEmpty: true }] }],
  };
  const prefetch = stage.prefetch.map((inner) => widened(inner, groupSize));
  const base: Stage = { ...stage, prefetch, filter: both(stage.filter, hasField) };
  const idsOf = groupIds(collection, groupBy);

  let limit = count * groupSize * 2;
  for (;;) {
    const hits = runner.run({ ...base, limit }, 0);
    const groups = collect(hits, idsOf, count, groupSize);
    const isExhausted = hits.length < limit;
    if (isExhausted || groups.every(({ hits: filled }) => filled.length >= groupSize)) {
      if (isExhausted || groups.length === count) return groups;
    } else if (groups.length === count && stage.prefetch.length === 0) {
      return fill(runner, base, groups, groupBy, groupSize, idsOf, hits);
    }
    limit *= 8;
  }
}

/** Completes chosen groups that the list so far has not filled. */
function fill(
  runner: QueryRunner,
  base: Stage,
  groups: readonly Group[],
  groupBy: JsonPath,
  groupSize: number,
  idsOf: (slot: number) => GroupId[],
  seen: readonly Hit[],
): Group[] {
  const open = new Map(groups.filter(({ hits }) => hits.length < groupSize).map(({ id }) => [id, [] as Hit[]]));
  const within: Filter = {
    must: [{ kind: 'field', path: groupBy, tests: [{ test: 'equals_any', values: [...open.keys()] }] }],
  };
  // Whatever was seen ranks before whatever was not, so points seen already need not be skipped: they come again first.
  let limit = Math.max(seen.length, open.size * groupSize * 4);
  for (;;) {
    const hits = runner.run({ ...base, filter: both(base.filter, within), limit }, 0);
    for (const list of open.values()) list.length = 0;
    for (const hit of hits) {
      for (const id of idsOf(hit.slot)) {
        const list = open.get(id);
        if (list !== undefined && list.length < groupSize) list.push(hit);
      }
    }
    if (hits.length < limit || [...open.values()].every((list) => list.length >= groupSize)) break;
    limit *= 8;
  }
  return groups.map((group) => ({ id: group.id, hits: open.get(group.id) ?? group.hits }));
}

function collect(hits: readonly Hit[], idsOf: (slot: number) => GroupId[], count: number, groupSize: number): Group[] {
  const groups = new Map<GroupId, Hit[]>();
  for (const hit of hits) {
    for (const id of idsOf(hit.slot)) {
      const group = groups.get(id);
      if (group === undefined) {
        if (groups.size < count) groups.set(id, [hit]);
      } else if (group.length < groupSize) {
        group.push(hit);
      }
    }
  }
  return [...groups].map(([id, list]) => ({ id, hits: list }));
}

/** Strings and integers group; anything else does not. A value that is there twice counts once. */
function groupIds(collection: Collection, path: JsonPath): (slot: number) => GroupId[] {
  const column = collection.columnOf(path.text);
  const isGroup = (value: Json): value is GroupId => typeof value === 'string' || Number.isInteger(value);
  return (slot) => {
    const payload = collection.payloads[slot] ?? {};
    if (column !== undefined) return [...new Set(column.elementsAt(slot, payload).filter(isGroup))];
    const values = valuesAt(path, payload).flatMap((value) => (Array.isArray(value) ? value : [value]));
    return [...new Set(values.filter(isGroup))];
  };
}

function widened(stage: Stage, factor: number): Stage {
  return { ...stage, limit: stage.limit * factor, prefetch: stage.prefetch.map((inner) => widened(inner, factor)) };
}

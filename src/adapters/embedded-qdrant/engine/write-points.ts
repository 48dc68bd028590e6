import { mergePayload, mergePayloadAt, removeFromPayload } from '../payload/change-payload';
import type { JsonObject } from '../json/json-value';
import { writePointId, type PointId } from '../point-id';
import { badInput, notFound } from '../qdrant-error';
import type { Filter } from '../filter/filter';
import type { PointSelection, PointWrite, UpdateMode, WriteOperation } from '../schema/write.schema';
import type { RawVector } from '../schema/vector.schema';
import type { Collection, PointVector } from './collection';
import { preprocess } from './distance';
import { applyFilter, pointTest } from './filter-mask';

/** Qdrant works through a write in batches of this many points, and reports a missing point after its batch. */
const BATCH = 32;

/** Fits a vector to what the collection expects under that name. @throws 400 on a wrong name, size or kind */
export function fitVector(collection: Collection, name: string, vector: RawVector): PointVector {
  const params = collection.paramsOf(name);
  if (params.kind === 'sparse') {
    if ('sparse' in vector) return vector;
    throw badInput(`Conversion between sparse and regular vectors failed: vector \`${name}\` is sparse`);
  }
  if (!('dense' in vector)) {
    throw badInput(`Conversion between sparse and regular vectors failed: vector \`${name}\` is dense`);
  }
  if (vector.dense.length !== params.size) {
    throw badInput(`Vector dimension error: expected dim: ${params.size}, got ${vector.dense.length}`);
  }
  return { dense: preprocess(vector.dense, params.distance) };
}

/**
 * Carries out one write in memory and in the open transaction.
 * @returns the operation's number
 * @throws QdrantError before anything is written, except for a missing point (404), which Qdrant too reports after it
 * wrote to the points before it
 */
export function write(collection: Collection, operation: WriteOperation): number {
  const fitted = fit(collection, operation);
  const version = collection.operation;
  collection.operation += 1;
  switch (operation.kind) {
    case 'upsert':
      upsert(collection, version, operation.points, fitted, operation.mode, operation.updateFilter);
      break;
    case 'delete':
      for (const slot of present(collection, operation.selection)) collection.delete(slot);
      break;
    case 'set_payload': {
      const { key, payload: change } = operation;
      const merge = (old: JsonObject): JsonObject =>
        key === undefined ? mergePayload(old, change) : mergePayloadAt(old, key, change);
      changePayloads(collection, version, operation.selection, merge);
      break;
    }
    case 'overwrite_payload':
      changePayloads(collection, version, operation.selection, () => operation.payload);
      break;
    case 'delete_payload':
      changePayloads(collection, version, operation.selection, (old) => removeFromPayload(old, operation.keys));
      break;
    case 'clear_payload':
      changePayloads(collection, version, operation.selection, () => ({}));
      break;
    case 'update_vectors': {
      const excluded = excludedBy(collection, operation.updateFilter);
      const wanted = operation.points.map((point, at) => ({ id: point.id, at })).filter(({ id }) => !excluded(id));
      eachPoint(collection, wanted, ({ at }, slot) => {
        for (const [name, vector] of fitted[at] as Map<string, PointVector>) {
          collection.putVector(slot, version, name, vector);
        }
      });
      break;
    }
    case 'delete_vectors':
      eachPoint(collection, idsOf(collection, operation.selection), (_, slot) => {
        for (const name of operation.names) collection.putVector(slot, version, name, undefined);
      });
      break;
  }
  return version;
}

/** All vectors of a write, fitted; names checked. Nothing has been written yet. */
function fit(collection: Collection, operation: WriteOperation): Map<string, PointVector>[] {
  if (operation.kind === 'delete_vectors') for (const name of operation.names) collection.paramsOf(name);
  if (operation.kind !== 'upsert' && operation.kind !== 'update_vectors') return [];
  return operation.points.map(({ vectors }) => {
    const fitted = new Map<string, PointVector>();
    for (const [name, vector] of vectors) fitted.set(name, fitVector(collection, name, vector));
    return fitted;
  });
}

function upsert(
  collection: Collection,
  version: number,
  points: readonly PointWrite[],
  vectors: readonly Map<string, PointVector>[],
  mode: UpdateMode,
  filter: Filter | undefined,
): void {
  // Of several points with one id in one request, the last counts.
  const lastOf = new Map<PointId, number>();
  for (const [at, { id }] of points.entries()) lastOf.set(id, at);
  const excluded = mode === 'insert_only' ? () => true : excludedBy(collection, filter);
  for (const [id, at] of lastOf) {
    const isKnown = collection.slotOf(id) !== undefined;
    if (isKnown ? excluded(id) : mode === 'update_only') continue;
    collection.put(id, version, vectors[at] as Map<string, PointVector>, (points[at] as PointWrite).payload);
  }
}

/** Which stored points a conditional write leaves alone. */
function excludedBy(collection: Collection, filter: Filter | undefined): (id: PointId) => boolean {
  if (filter === undefined) return () => false;
  const test = pointTest(filter, collection);
  return (id) => {
    const slot = collection.slotOf(id);
    return slot !== undefined && !test(slot);
  };
}

function changePayloads(
  collection: Collection,
  version: number,
  selection: PointSelection,
  change: (old: JsonObject) => JsonObject,
): void {
  eachPoint(collection, idsOf(collection, selection), (_, slot) => {
    collection.putPayload(slot, version, change(collection.payloads[slot] as JsonObject));
  });
}

function eachPoint<T extends { id: PointId }>(
  collection: Collection,
  points: readonly T[],
  work: (point: T, slot: number) => void,
): void {
  for (let start = 0; start < points.length; start += BATCH) {
    let missing: PointId | undefined;
    for (const point of points.slice(start, start + BATCH)) {
      const slot = collection.slotOf(point.id);
      if (slot === undefined) missing ??= point.id;
      else work(point, slot);
    }
    if (missing !== undefined) throw notFound(`No point with id ${writePointId(missing).replaceAll('"', '')} found`);
  }
}

function idsOf(collection: Collection, selection: PointSelection): { id: PointId }[] {
  if ('ids' in selection) return [...new Set(selection.ids)].map((id) => ({ id }));
  return present(collection, selection).map((slot) => ({ id: collection.idAt(slot) }));
}

/** The slots of the selected points that exist. */
function present(collection: Collection, selection: PointSelection): number[] {
  if ('ids' in selection) {
    const slots = selection.ids.map((id) => collection.slotOf(id)).filter((slot) => slot !== undefined);
    return [...new Set(slots)];
  }
  const named = selection.filter.must?.find((condition) => condition.kind === 'has_id');
  if (named) {
    // A conditional write names its points: they alone are looked at, however many there are.
    const test = pointTest(selection.filter, collection);
    return present(collection, { ids: named.ids }).filter(test);
  }
  const mask = collection.aliveMask();
  applyFilter(selection.filter, mask, collection);
  const slots: number[] = [];
  for (let slot = 0; slot < mask.length; slot += 1) if (mask[slot] === 1) slots.push(slot);
  return slots;
}

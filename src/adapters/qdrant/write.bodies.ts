import type { VectorFilter } from '../../kernel/vector/vector-filter';
import type { Payload, Point, PointId } from '../../kernel/vector/vector-store';
import type { Schemas } from './qdrant.types';
import { sentId } from './sent-id';

/** Qdrant refuses bodies over 32 MB by default; a quarter of it leaves room for proxies and keeps one request short. */
const LARGEST_BODY_BYTES = 8 * 1024 * 1024;

/** Bodies of conditional upserts, in order, each of some 8 MB at most (one larger point travels alone). */
export function upsertBodies(points: readonly Point[]): string[] {
  const latest = new Map<PointId, Point>();
  for (const point of points) {
    const other = latest.get(point.id);
    if (!other || (revisionOf(other.payload) ?? -Infinity) <= (revisionOf(point.payload) ?? Infinity)) {
      latest.set(point.id, point);
    }
  }
  const parts = [...latest.values()].map((point) => ({ point, json: pointJson(point) }));
  return inChunks(parts).map((chunk) => {
    const clauses = storedNewer(chunk.map(({ point }) => ({ id: point.id, revision: revisionOf(point.payload) })));
    const filter: VectorFilter | undefined = clauses.length > 0 ? { must_not: clauses } : undefined;
    const condition = filter ? `,"update_filter":${JSON.stringify(filter)}` : '';
    return `{"points":[${chunk.map(({ json }) => json).join(',')}]${condition}}`;
  });
}

/**
 * Bodies of batch requests with one overwrite a point. Each selects its point by filter rather than by id: an absent
 * point is then passed over, where naming its id would fail the whole batch, and a newer payload is left alone.
 */
export function overwriteBodies(points: readonly { id: PointId; payload: Payload }[]): string[] {
  const parts = points.map(({ id, payload }) => {
    const revision = revisionOf(payload);
    const filter: VectorFilter = { must: [{ has_id: [id] }] };
    if (revision !== undefined) filter.must_not = [{ key: 'revision', range: { gt: revision } }];
    const operation: Schemas['OverwritePayloadOperation'] = { overwrite_payload: { payload, filter } };
    return { json: JSON.stringify(operation) };
  });
  return inChunks(parts).map((chunk) => `{"operations":[${chunk.map(({ json }) => json).join(',')}]}`);
}

/** Bodies of deletions: by id, and by a filter on the ids where a stored point may be newer than its deletion. */
export function deleteBodies(
  points: readonly { id: PointId; revision?: number }[],
): (Schemas['PointIdsList'] | Schemas['FilterSelector'])[] {
  const certain = points.filter(({ revision }) => revision === undefined).map(({ id }) => sentId(id));
  const dated = points.flatMap(({ id, revision }) => (revision === undefined ? [] : [{ id, revision }]));
  const filter: VectorFilter = { must: [{ has_id: dated.map(({ id }) => id) }], must_not: storedNewer(dated) };
  return [...(certain.length > 0 ? [{ points: certain }] : []), ...(dated.length > 0 ? [{ filter }] : [])];
}

function pointJson({ id, dense, lexical, payload }: Point): string {
  const vector = `{"dense":${float32Json(dense)},"lexical":${JSON.stringify(lexical)}}`;
  return `{"id":${JSON.stringify(id)},"vector":${vector},"payload":${JSON.stringify(payload)}}`;
}

/**
 * Nine digits name every single-precision number exactly. `JSON.stringify` writes up to twenty, those of the double:
 * a third more bytes, and twice the time to parse on the other side.
 */
function float32Json(vector: Float32Array): string {
  let json = '';
  for (const value of vector) json += json === '' ? value.toPrecision(9) : `,${value.toPrecision(9)}`;
  return `[${json}]`;
}

/**
 * Matches stored points whose revision is higher than the one given. Qdrant takes one filter a request, so points of
 * different revisions become one clause each.
 */
function storedNewer(points: readonly { id: PointId; revision: number | undefined }[]): VectorFilter[] {
  const idsByRevision = new Map<number, PointId[]>();
  for (const { id, revision } of points) {
    if (revision === undefined) continue;
    const ids = idsByRevision.get(revision);
    if (ids) ids.push(id);
    else idsByRevision.set(revision, [id]);
  }
  return [...idsByRevision].map(([revision, ids]): VectorFilter => {
    const isHigher = { key: 'revision', range: { gt: revision } };
    return { must: ids.length === points.length ? [isHigher] : [{ has_id: ids }, isHigher] };
  });
}

function revisionOf(payload: Payload): number | undefined {
  return typeof payload.revision === 'number' ? payload.revision : undefined;
}

function inChunks<T extends { json: string }>(parts: readonly T[]): T[][] {
  const chunks: T[][] = [];
  let current: T[] = [];
  let bytes = 0;
  for (const part of parts) {
    const size = Buffer.byteLength(part.json) + 1;
    if (current.length > 0 && bytes + size > LARGEST_BODY_BYTES) {
      chunks.push(current);
      current = [];
      bytes = 0;
    }
    current.push(part);
    bytes += size;
  }
  if (current.length > 0) chunks.push(current);
  return chunks;
}

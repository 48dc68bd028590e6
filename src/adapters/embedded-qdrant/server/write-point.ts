import type { Collection, PointVector } from '../engine/collection';
import { UNNAMED } from '../engine/collection-config';
import { shortestDouble } from '../json/write-json';
import { selectPayload } from '../payload/select-payload';
import { writePointId } from '../point-id';
import type { Hit } from '../query/hit';
import type { Output } from '../schema/query.schema';

/** JSON text of a list of stored points. */
export function writeRecords(collection: Collection, slots: readonly number[], output: Output): string {
  return `[${slots.map((slot) => writeRecord(collection, slot, output)).join(',')}]`;
}

export function writeRecord(collection: Collection, slot: number, output: Output, orderValue?: number): string {
  const order = orderValue === undefined ? '' : `,"order_value":${orderValue}`;
  return `{"id":${writePointId(collection.idAt(slot))}${writeContents(collection, slot, output)}${order}}`;
}

/** JSON text of ranked points. */
export function writeHits(collection: Collection, hits: readonly Hit[], output: Output): string {
  return `[${hits.map((hit) => writeHit(collection, hit, output)).join(',')}]`;
}

function writeHit(collection: Collection, { slot, score, orderValue }: Hit, output: Output): string {
  const id = writePointId(collection.idAt(slot));
  const version = collection.versions[slot] ?? 0;
  const order = orderValue === undefined ? '' : `,"order_value":${orderValue}`;
  const contents = writeContents(collection, slot, output);
  return `{"id":${id},"version":${version},"score":${shortestDouble(score)}${contents}${order}}`;
}

function writeContents(collection: Collection, slot: number, { payload, vectors }: Output): string {
  let text = '';
  const selected = selectPayload(collection.payloads[slot] ?? {}, payload);
  if (selected !== undefined) text += `,"payload":${collection.payloadText(slot, selected)}`;
  if (vectors !== false) text += `,"vector":${writeVectors(collection, slot, vectors)}`;
  return text;
}

/** One unnamed vector alone stands as a list, anything else as an object by name. */
function writeVectors(collection: Collection, slot: number, wanted: true | string[]): string {
  const names = wanted === true ? [...collection.config.vectors.keys()] : wanted;
  const parts: [string, string][] = [];
  for (const name of names) {
    const vector = collection.config.vectors.has(name) ? collection.vectorAt(slot, name) : undefined;
    if (vector !== undefined) parts.push([name, writeVector(vector)]);
  }
  const [only] = parts;
  if (only !== undefined && parts.length === 1 && only[0] === UNNAMED) return only[1];
  return `{${parts.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}

function writeVector(vector: PointVector): string {
  if ('dense' in vector) return writeFloats(vector.dense);
  return `{"indices":[${vector.sparse.indices.join(',')}],"values":${writeFloats(vector.sparse.values)}}`;
}

const writeFloats = (floats: Float32Array): string => `[${Array.from(floats, shortestDouble).join(',')}]`;

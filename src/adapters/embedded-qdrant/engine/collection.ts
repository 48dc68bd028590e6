import type { TextOptions } from '../filter/text-tokens';
import type { JsonObject } from '../json/json-value';
import { parseJson } from '../json/parse-json';
import { hasExactNumbers, writeJson } from '../json/write-json';
import { parsePath, type JsonPath } from '../payload/json-path';
import { restorePointId, storedPointId, type PointId } from '../point-id';
import { badInput, QdrantError } from '../qdrant-error';
import type { VectorMemory } from '../simd/vector-memory';
import type { PointTable, StoredPoint } from '../store/point-table';
import { openDense, openSparse, sealDense, sealSparse } from '../store/vector-blob';
import type { CollectionConfig, PayloadIndex, VectorParams } from './collection-config';
import { DenseVectors } from './dense-vectors';
import type { FilterSource } from './filter-mask';
import { PayloadColumn } from './payload-column';
import { PointOrder } from './point-order';
import { SparseLoad } from './sparse-load';
import { SparseVectors, type SparseVector } from './sparse-vectors';

const NO_PAYLOAD: JsonObject = Object.freeze({});

/** A vector as it is stored: normalised when dense and cosine, sorted when sparse. */
export type PointVector = { dense: Float32Array } | { sparse: SparseVector };

/**
 * The points of one collection in memory, by slot, kept in step with their table: every change goes to both.
 * A slot is a small number that a point has for as long as it lives; freed slots are used again.
 */
export class Collection implements FilterSource {
  readonly payloads: JsonObject[] = [];
  readonly ids: (PointId | undefined)[] = [];
  readonly versions: number[] = [];
  readonly dense = new Map<string, DenseVectors>();
  readonly sparse = new Map<string, SparseVectors>();
  readonly order = new PointOrder(this.ids);
  operation = 0;
  private readonly slots = new Map<PointId, number>();
  private readonly freeSlots: number[] = [];
  private readonly columns = new Map<string, PayloadColumn>();
  /** Sparse vectors that were restored and not yet indexed, by name. */
  private readonly loads = new Map<string, SparseLoad>();
  /** Points whose payload needs its numbers written as they were sent. */
  private readonly exact = new Set<number>();

  constructor(
    private readonly memory: VectorMemory,
    readonly table: PointTable,
    readonly id: number,
    readonly name: string,
    readonly config: CollectionConfig,
    readonly indexes: Map<string, PayloadIndex>,
  ) {
    for (const [vector, params] of config.vectors) this.openVector(vector, params);
    for (const key of indexes.keys()) this.columns.set(key, new PayloadColumn(parsePath(key) as JsonPath));
  }

  get pointCount(): number {
    return this.slots.size;
  }

  /** One more than the highest slot ever used. */
  get slotCount(): number {
    return this.ids.length;
  }

  slotOf(id: PointId): number | undefined {
    return this.slots.get(id);
  }

  idAt(slot: number): PointId {
    return this.ids[slot] as PointId;
  }

  presenceOf(vector: string): Uint8Array | undefined {
    return (this.dense.get(vector) ?? this.sparse.get(vector))?.presence;
  }

  columnOf(path: string): PayloadColumn | undefined {
    return this.columns.get(path);
  }

  textIndexOf(path: string): TextOptions | undefined {
    return this.indexes.get(path)?.text;
  }

  paramsOf(vector: string): VectorParams {
    const params = this.config.vectors.get(vector);
    if (params === undefined) throw badInput(`Not existing vector name error: ${vector}`);
    return params;
  }

  /** JSON text of a payload, or of the part of it that was selected. */
  payloadText(slot: number, payload: JsonObject): string {
    return this.exact.has(slot) ? writeJson(payload) : JSON.stringify(payload);
  }

  /** `undefined` when the point has no such vector. */
  vectorAt(slot: number, vector: string): PointVector | undefined {
    const dense = this.dense.get(vector)?.get(slot);
    if (dense !== undefined) return { dense };
    const sparse = this.sparseAt(slot, vector);
    return sparse && { sparse };
  }

  sparseAt(slot: number, vector: string): SparseVector | undefined {
    if (this.sparse.get(vector)?.has(slot) !== true) return undefined;
    const blob = this.table.readVector(slot, this.paramsOf(vector).column);
    const opened = blob && openSparse(blob);
    if (opened !== undefined) return opened;
    throw new QdrantError(500, `Service internal error: the stored vector "${vector}" of a point is damaged`);
  }

  /** Puts a whole point in place of whatever had its id. */
  put(id: PointId, version: number, vectors: ReadonlyMap<string, PointVector>, payload: JsonObject): void {
    const known = this.slots.get(id);
    const slot = known ?? this.freeSlots.pop() ?? this.ids.length;
    const columns: number[] = [];
    const blobs: (Buffer | undefined)[] = [];
    for (const [name, params] of this.config.vectors) {
      const vector = vectors.get(name);
      this.placeVector(slot, name, vector);
      columns.push(params.column);
      blobs.push(vector && seal(vector));
    }
    const hasPayload = Object.keys(payload).length > 0;
    const text = hasPayload ? writeJson(payload) : undefined;
    this.table.put({ slot, id: storedPointId(id), version, payload: text }, columns, blobs);
    this.versions[slot] = version;
    if (known === undefined) this.placeId(slot, id);
    this.placePayload(slot, payload);
  }

  putPayload(slot: number, version: number, payload: JsonObject): void {
    const text = Object.keys(payload).length > 0 ? writeJson(payload) : undefined;
    this.table.putPayload(slot, storedPointId(this.idAt(slot)), version, text);
    this.versions[slot] = version;
    this.placePayload(slot, payload);
  }

  /** @param vector `undefined` removes it */
  putVector(slot: number, version: number, name: string, vector: PointVector | undefined): void {
    this.placeVector(slot, name, vector);
    this.table.putVector(slot, version, this.paramsOf(name).column, vector && seal(vector));
    this.versions[slot] = version;
  }

  delete(slot: number): void {
    for (const name of this.config.vectors.keys()) this.placeVector(slot, name, undefined);
    this.table.delete(slot);
    for (const column of this.columns.values()) column.remove(slot);
    this.order.remove(slot);
    this.slots.delete(this.idAt(slot));
    this.ids[slot] = undefined;
    this.payloads[slot] = NO_PAYLOAD;
    this.exact.delete(slot);
    this.freeSlots.push(slot);
  }

  /** Takes in a point that the table holds, in the order of slots. @returns what is wrong with it, if anything */
  restore(point: StoredPoint): string | undefined {
    const id = restorePointId(point.id);
    if (id === undefined || this.slots.has(id)) return `a point id is ${id === undefined ? 'no id' : 'there twice'}`;
    let at = 0;
    for (const [name, params] of this.config.vectors) {
      const blob = point.vectors[at];
      at += 1;
      if (blob === undefined) continue;
      const vector = unseal(blob, params);
      if (vector === undefined) return `vector "${name}" of point ${point.id} fails its checksum`;
      if ('dense' in vector) this.dense.get(name)?.set(point.slot, vector.dense);
      else this.loadOf(name).add(point.slot, vector.sparse);
    }
    while (this.ids.length < point.slot) {
      this.freeSlots.push(this.ids.length);
      this.ids.push(undefined);
      this.payloads.push(NO_PAYLOAD);
      this.versions.push(0);
    }
    this.placeId(point.slot, id);
    this.versions[point.slot] = point.version;
    this.placePayload(point.slot, point.payload === undefined ? NO_PAYLOAD : (parseJson(point.payload) as JsonObject));
    return undefined;
  }

  /** Call once all points are restored. */
  finishRestoring(): void {
    for (const [name, load] of this.loads) this.sparse.get(name)?.fill(load);
    this.loads.clear();
  }

  /** Makes or replaces a payload index and fills it. */
  addIndex(path: JsonPath, index: PayloadIndex): void {
    const column = new PayloadColumn(path);
    for (const slot of this.slots.values()) column.set(slot, this.payloads[slot] as JsonObject);
    this.columns.set(path.text, column);
    this.indexes.set(path.text, index);
  }

  removeIndex(path: string): void {
    this.columns.delete(path);
    this.indexes.delete(path);
  }

  /** Adds a vector name to a collection that may have points. */
  addVector(name: string, params: VectorParams): void {
    this.table.addColumn(params.column);
    this.config.vectors.set(name, params);
    this.openVector(name, params);
  }

  removeVector(name: string): void {
    this.table.dropColumn(this.paramsOf(name).column);
    this.config.vectors.delete(name);
    this.dense.get(name)?.release();
    this.dense.delete(name);
    this.sparse.delete(name);
  }

  /** Gives its vector memory back. */
  release(): void {
    for (const vectors of this.dense.values()) vectors.release();
  }

  /** One byte a slot, 1 where there is a point. */
  aliveMask(): Uint8Array {
    const mask = new Uint8Array(this.ids.length);
    if (this.freeSlots.length === 0) return mask.fill(1);
    mask.fill(1);
    for (const slot of this.freeSlots) mask[slot] = 0;
    return mask;
  }

  private loadOf(name: string): SparseLoad {
    let load = this.loads.get(name);
    if (load === undefined) this.loads.set(name, (load = new SparseLoad()));
    return load;
  }

  private openVector(name: string, params: VectorParams): void {
    if (params.kind === 'dense') this.dense.set(name, new DenseVectors(this.memory, params.size, params.distance));
    else this.sparse.set(name, new SparseVectors(params.hasIdf));
  }

  private placeId(slot: number, id: PointId): void {
    this.ids[slot] = id;
    this.slots.set(id, slot);
    this.order.add(slot);
  }

  private placePayload(slot: number, payload: JsonObject): void {
    this.payloads[slot] = payload;
    if (hasExactNumbers(payload)) this.exact.add(slot);
    else this.exact.delete(slot);
    for (const column of this.columns.values()) column.set(slot, payload);
  }

  /** Must run before the table changes: it reads the old sparse vector back from there. */
  private placeVector(slot: number, name: string, vector: PointVector | undefined): void {
    const dense = this.dense.get(name);
    if (dense !== undefined) {
      if (vector !== undefined && 'dense' in vector) dense.set(slot, vector.dense);
      else dense.remove(slot);
    }
    const sparse = this.sparse.get(name);
    if (sparse === undefined) return;
    const old = this.sparseAt(slot, name);
    if (old !== undefined) sparse.remove(slot, old);
    if (vector !== undefined && 'sparse' in vector) sparse.add(slot, vector.sparse);
  }
}

const seal = (vector: PointVector): Buffer => ('dense' in vector ? sealDense(vector.dense) : sealSparse(vector.sparse));

function unseal(blob: Uint8Array, params: VectorParams): PointVector | undefined {
  if (params.kind === 'dense') {
    const dense = openDense(blob, params.size);
    return dense && { dense };
  }
  const sparse = openSparse(blob);
  return sparse && { sparse };
}

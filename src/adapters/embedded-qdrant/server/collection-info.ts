import type { Collection } from '../engine/collection';
import { UNNAMED, type PayloadIndex } from '../engine/collection-config';
import type { Json, JsonObject } from '../json/json-value';

const HNSW = { m: 16, ef_construct: 100, full_scan_threshold: 10_000, max_indexing_threads: 0, on_disk: false };
const OPTIMIZER = {
  deleted_threshold: 0.2,
  vacuum_min_vector_number: 1000,
  default_segment_number: 0,
  max_segment_size: null,
  memmap_threshold: null,
  indexing_threshold: 10_000,
  flush_interval_sec: 5,
  max_optimization_threads: null,
};
const WAL = { wal_capacity_mb: 32, wal_segments_ahead: 0, wal_retain_closed: 1 };

const part = (settings: JsonObject, key: string): JsonObject => (settings[key] ?? {}) as JsonObject;

/** What `GET /collections/{name}` answers: settings as they were sent, over Qdrant's defaults. */
export function collectionInfo(collection: Collection): JsonObject {
  const { settings } = collection.config;
  return {
    status: 'green',
    optimizer_status: 'ok',
    indexed_vectors_count: vectorCount(collection),
    points_count: collection.pointCount,
    segments_count: 1,
    config: {
      params: {
        vectors: denseConfig(collection),
        shard_number: settings['shard_number'] ?? 1,
        replication_factor: settings['replication_factor'] ?? 1,
        write_consistency_factor: settings['write_consistency_factor'] ?? 1,
        ...part(settings, 'params'),
        on_disk_payload: settings['on_disk_payload'] ?? true,
        ...sparseConfig(collection),
      },
      hnsw_config: { ...HNSW, ...part(settings, 'hnsw_config') },
      optimizer_config: { ...OPTIMIZER, ...part(settings, 'optimizers_config') },
      wal_config: { ...WAL, ...part(settings, 'wal_config') },
      quantization_config: settings['quantization_config'] ?? null,
      strict_mode_config: settings['strict_mode_config'] ?? { enabled: false },
      ...(settings['metadata'] === undefined ? {} : { metadata: settings['metadata'] }),
    },
    payload_schema: Object.fromEntries(
      [...collection.indexes].map(([key, index]) => [key, indexInfo(collection, key, index)]),
    ),
    update_queue: { length: 0 },
  };
}

function vectorCount({ dense, sparse }: Collection): number {
  return [...dense.values(), ...sparse.values()].reduce((sum, vectors) => sum + vectors.count, 0);
}

function denseConfig(collection: Collection): Json {
  const dense = [...collection.config.vectors].filter(([, { kind }]) => kind === 'dense');
  const [only] = dense;
  if (only !== undefined && only[0] === UNNAMED) return only[1].declared;
  return Object.fromEntries(dense.map(([name, { declared }]) => [name, declared]));
}

function sparseConfig(collection: Collection): JsonObject {
  const sparse = [...collection.config.vectors].filter(([, { kind }]) => kind === 'sparse');
  if (sparse.length === 0) return {};
  return { sparse_vectors: Object.fromEntries(sparse.map(([name, { declared }]) => [name, declared])) };
}

function indexInfo(collection: Collection, key: string, { type, declared }: PayloadIndex): JsonObject {
  const points = collection.columnOf(key)?.valueCount ?? 0;
  return { data_type: type, ...(declared === undefined ? {} : { params: declared }), points };
}

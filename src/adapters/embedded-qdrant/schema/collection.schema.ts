import type { CollectionConfig, PayloadIndex, PayloadIndexType, VectorParams } from '../engine/collection-config';
import { UNNAMED } from '../engine/collection-config';
import type { TextOptions } from '../filter/text-tokens';
import { isObject, type Json, type JsonObject } from '../json/json-value';
import type { JsonPath } from '../payload/json-path';
import { invalid, unsupported } from '../qdrant-error';
import {
  anything,
  expected,
  flag,
  integer,
  jsonObject,
  list,
  notSupported,
  number,
  object,
  oneOf,
  optional,
  record,
  tagged,
  text,
  withDefault,
  within,
  type Decoder,
} from './decode';
import { path } from './filter.schema';

const whole = optional(integer(0));
const positive = optional(integer(1));

const hnswConfig = optional(
  object({
    m: whole,
    ef_construct: optional(integer(4)),
    full_scan_threshold: whole,
    max_indexing_threads: whole,
    on_disk: optional(flag),
    payload_m: whole,
    inline_storage: optional(flag),
  }),
);

const alwaysRam = { always_ram: optional(flag) };
const scalar = object({ type: oneOf('int8'), quantile: optional(number), ...alwaysRam });
const product = object({ compression: oneOf('x4', 'x8', 'x16', 'x32', 'x64'), ...alwaysRam });
const binary = object({ encoding: optional(text), query_encoding: optional(text), ...alwaysRam });
const turbo = object({ bits: optional(text), ...alwaysRam });
/** Accepted and reported. Results are exact, so there is nothing to compress. */
const quantization = optional(
  tagged<unknown>({
    scalar: object({ scalar }),
    product: object({ product }),
    binary: object({ binary }),
    turbo: object({ turbo }),
  }),
);
const quantizationDiff: Decoder<unknown> = (value, at) => (value === 'Disabled' ? value : quantization(value, at));

const optimizersConfig = optional(
  object({
    deleted_threshold: optional(number),
    vacuum_min_vector_number: whole,
    default_segment_number: whole,
    max_segment_size: whole,
    memmap_threshold: whole,
    indexing_threshold: whole,
    flush_interval_sec: whole,
    max_optimization_threads: optional(anything),
    prevent_unoptimized: optional(flag),
  }),
);

const walConfig = optional(
  object({ wal_capacity_mb: positive, wal_segments_ahead: whole, wal_retain_closed: positive }),
);

const strictMode: Decoder<JsonObject | undefined> = (value, at) => {
  const decoded = optional(jsonObject)(value, at);
  if (decoded?.enabled === true) throw unsupported('strict mode');
  return decoded;
};

const datatype: Decoder<undefined> = (value, at) => {
  const kind = optional(oneOf('float32', 'uint8', 'float16'))(value, at);
  if (kind !== undefined && kind !== 'float32') throw unsupported(`vectors of datatype \`${kind}\``);
  return undefined;
};

const MAX_SIZE = 65_536;

const denseFields = object({
  size: (value, at) => {
    const size = integer(1)(value, at);
    if (size > MAX_SIZE) throw invalid(at, `value ${size} invalid, must be from 1 to ${MAX_SIZE}`);
    return size;
  },
  distance: oneOf('Cosine', 'Dot', 'Euclid', 'Manhattan'),
  hnsw_config: hnswConfig,
  quantization_config: quantization,
  on_disk: optional(flag),
  datatype,
  multivector_config: notSupported('multivectors'),
});

const sparseFields = object({
  index: optional(object({ full_scan_threshold: whole, on_disk: optional(flag), datatype })),
  modifier: optional(oneOf('none', 'idf')),
});

/** Without the keys that were sent as null. */
function declared(value: Json | undefined): JsonObject {
  const entries = isObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.filter(([, item]) => item !== null && item !== undefined));
}

type Unplaced = (column: number) => VectorParams;

const denseParams: Decoder<Unplaced> = (value, at) => {
  const { size, distance } = denseFields(value, at);
  return (column) => ({ kind: 'dense', column, size, distance, declared: declared(value) });
};

const sparseParams: Decoder<Unplaced> = (value, at) => {
  const { modifier } = sparseFields(value ?? {}, at);
  return (column) => ({ kind: 'sparse', column, hasIdf: modifier === 'idf', declared: declared(value) });
};

const vectorsConfig: Decoder<Map<string, Unplaced>> = (value, at) => {
  if (!isObject(value)) return expected('vector parameters, or an object of them by name', value, at);
  if (Object.hasOwn(value, 'size') || Object.hasOwn(value, 'distance')) {
    return new Map([[UNNAMED, denseParams(value, at)]]);
  }
  return record(denseParams)(value, at);
};

const settingFields = {
  shard_number: positive,
  sharding_method: (value: Json | undefined, at: string) => {
    if (optional(oneOf('auto', 'custom'))(value, at) === 'custom') throw unsupported('custom sharding');
  },
  replication_factor: positive,
  write_consistency_factor: positive,
  on_disk_payload: optional(flag),
  hnsw_config: hnswConfig,
  wal_config: walConfig,
  optimizers_config: optimizersConfig,
  quantization_config: quantization,
  strict_mode_config: strictMode,
  metadata: optional(jsonObject),
};

const createFields = object({
  ...settingFields,
  vectors: optional(vectorsConfig),
  sparse_vectors: optional(record(sparseParams)),
  init_from: notSupported('`init_from`'),
});

export const createCollection: Decoder<CollectionConfig> = (value, at) => {
  const decoded = createFields(value, at);
  const vectors = new Map<string, VectorParams>();
  for (const [name, place] of [...(decoded.vectors ?? []), ...(decoded.sparse_vectors ?? [])]) {
    if (vectors.has(name)) throw invalid(within(at, 'sparse_vectors'), `vector name \`${name}\` is used twice`);
    vectors.set(name, place(vectors.size));
  }
  const sent = declared(value);
  const settings = Object.fromEntries(
    Object.keys(settingFields).flatMap((key) => (key in sent ? [[key, sent[key]]] : [])),
  );
  return { vectors, nextColumn: vectors.size, settings };
};

const diffFields = object({
  vectors: optional(
    record(object({ hnsw_config: hnswConfig, quantization_config: quantizationDiff, on_disk: optional(flag) })),
  ),
  sparse_vectors: optional(record(sparseFields)),
  params: optional(
    object({
      replication_factor: positive,
      write_consistency_factor: positive,
      read_fan_out_factor: whole,
      read_fan_out_delay_ms: whole,
      on_disk_payload: optional(flag),
    }),
  ),
  optimizers_config: optimizersConfig,
  hnsw_config: hnswConfig,
  quantization_config: quantizationDiff,
  strict_mode_config: strictMode,
  metadata: optional(jsonObject),
});

/** Checks a change of settings. @returns it as it was sent */
export const updateCollection: Decoder<JsonObject> = (value, at) => {
  diffFields(value, at);
  return declared(value);
};

const vectorNameFields = tagged<Unplaced>({
  dense: (value, at) => {
    const fields = object({ dense: anything })(value, at);
    return denseParams(fields.dense, within(at, 'dense'));
  },
  sparse: (value, at) => {
    const { sparse } = object({ sparse: object({ modifier: optional(oneOf('none', 'idf')), datatype }) })(value, at);
    const sent = isObject(value) ? declared(value['sparse']) : {};
    return (column) => ({ kind: 'sparse', column, hasIdf: sparse.modifier === 'idf', declared: sent });
  },
});

/** Parameters of one more vector name. */
export const createVectorName: Decoder<Unplaced> = vectorNameFields;

export interface AliasAction {
  create?: { alias: string; collection: string };
  delete?: string;
  rename?: { from: string; to: string };
}

const nonEmpty: Decoder<string> = (value, at) => {
  const name = text(value, at);
  if (name === '' || name.length > 255) throw invalid(at, `name must be 1 to 255 characters long`);
  return name;
};

export const aliasActions: Decoder<AliasAction[]> = (value, at) =>
  object({
    actions: list(
      tagged<AliasAction>({
        create_alias: (item, where) => {
          const fields = object({ create_alias: object({ collection_name: nonEmpty, alias_name: nonEmpty }) });
          const { alias_name: alias, collection_name: collection } = fields(item, where).create_alias;
          return { create: { alias, collection } };
        },
        delete_alias: (item, where) => {
          const { delete_alias: decoded } = object({ delete_alias: object({ alias_name: nonEmpty }) })(item, where);
          return { delete: decoded.alias_name };
        },
        rename_alias: (item, where) => {
          const fields = object({ rename_alias: object({ old_alias_name: nonEmpty, new_alias_name: nonEmpty }) });
          const { old_alias_name: from, new_alias_name: to } = fields(item, where).rename_alias;
          return { rename: { from, to } };
        },
      }),
    ),
  })(value, at).actions;

const INDEX_TYPES = ['keyword', 'integer', 'float', 'geo', 'text', 'bool', 'datetime', 'uuid'] as const;

const common = { on_disk: optional(flag), enable_hnsw: optional(flag) };
const tenant = { is_tenant: optional(flag) };
const principal = { is_principal: optional(flag) };
const indexFields: Record<PayloadIndexType, Record<string, Decoder<unknown>>> = {
  keyword: { ...common, ...tenant },
  integer: { ...common, ...principal, lookup: optional(flag), range: optional(flag) },
  float: { ...common, ...principal },
  geo: common,
  bool: common,
  datetime: { ...common, ...principal },
  uuid: { ...common, ...tenant },
  text: {
    ...common,
    tokenizer: optional(oneOf('prefix', 'whitespace', 'word', 'multilingual')),
    min_token_len: whole,
    max_token_len: whole,
    lowercase: optional(flag),
    ascii_folding: notSupported('text index `ascii_folding`'),
    phrase_matching: optional(flag),
    stopwords: notSupported('text index `stopwords`'),
    stemmer: notSupported('text index `stemmer`'),
  },
};

const fieldSchema: Decoder<PayloadIndex> = (value, at) => {
  if (typeof value === 'string') return indexOf(oneOf(...INDEX_TYPES)(value, at), undefined);
  if (!isObject(value)) return expected('a field type or index parameters', value, at);
  const type = oneOf(...INDEX_TYPES)(value['type'], within(at, 'type'));
  object({ ...indexFields[type], type: text })(value, at);
  return indexOf(type, declared(value));
};

function indexOf(type: PayloadIndexType, sent: JsonObject | undefined): PayloadIndex {
  return {
    type,
    declared: sent,
    text: type === 'text' ? textOptions(sent ?? {}) : undefined,
    hasRange: sent?.['range'] !== false,
    hasLookup: sent?.['lookup'] !== false,
  };
}

function textOptions(sent: JsonObject): TextOptions {
  const { tokenizer = 'word', lowercase, min_token_len: min, max_token_len: max, phrase_matching: phrases } = sent;
  if (tokenizer !== 'word' && tokenizer !== 'whitespace') throw unsupported(`the \`${String(tokenizer)}\` tokenizer`);
  return {
    tokenizer,
    isLowercased: lowercase !== false,
    minTokenLength: Number(min ?? 1),
    maxTokenLength: Number(max ?? Number.MAX_SAFE_INTEGER),
    hasPhrases: phrases === true,
  };
}

const fieldIndexFields = object({ field_name: path, field_schema: withDefault(fieldSchema, undefined) });

export const createFieldIndex: Decoder<{ path: JsonPath; index: PayloadIndex }> = (value, at) => {
  const decoded = fieldIndexFields(value, at);
  if (decoded.field_schema === undefined) {
    throw unsupported('guessing a payload index type: send `field_schema`');
  }
  return { path: decoded.field_name, index: decoded.field_schema };
};

/** @throws 422 as Qdrant does for names that could not be folders */
export function checkCollectionName(name: string): void {
  const forbidden = /[<>:"/\\|?*\0\u001F]/.exec(name);
  if (name.length < 1 || name.length > 255) {
    throw invalid('collection_name', `name must be 1 to 255 characters long, got ${name.length}`);
  }
  if (forbidden !== null) {
    throw invalid('collection_name', `collection name cannot contain ${JSON.stringify(forbidden[0])} char`);
  }
}

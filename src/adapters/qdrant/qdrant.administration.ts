import { VectorStoreRejectedError } from '../../kernel/vector/vector-store.errors';
import type {
  CollectionInfo,
  CollectionSpec,
  PayloadIndexType,
  QuantizationMode,
  VectorLayout,
} from '../../kernel/vector/vector-store';
import { DENSE, LEXICAL } from '../../kernel/vector/vector-store';
import type { QdrantTransport } from './qdrant.transport';
import type { Schemas } from './qdrant.types';

/** Collections, payload indexes and aliases: the rare requests of start-up and of a model change. */
export class QdrantAdministration {
  readonly #transport: QdrantTransport;

  constructor(transport: QdrantTransport) {
    this.#transport = transport;
  }

  async describeCollection(name: string): Promise<CollectionInfo | undefined> {
    const info = await this.#info(name);
    return info && collectionInfo(info);
  }

  async describeVectors(name: string): Promise<VectorLayout[] | undefined> {
    const info = await this.#info(name);
    if (!info) return undefined;
    const { vectors } = info.config.params;
    if (!vectors) return [];
    const named = isUnnamed(vectors) ? { '': vectors } : (vectors as Record<string, Schemas['VectorParams']>);
    return Object.entries(named).map(([vector, { size, distance }]) => ({ name: vector, dimensions: size, distance }));
  }

  /** Creates the collection, then its payload indexes. */
  async createCollection(spec: CollectionSpec): Promise<void> {
    await this.#transport.send('PUT', collectionPath(spec.name), { body: collectionBody(spec) });
    await Promise.all(
      Object.entries(spec.payloadIndexes).map(([key, type]) => this.createPayloadIndex(spec.name, key, type)),
    );
  }

  async createPayloadIndex(collection: string, key: string, type: PayloadIndexType): Promise<void> {
    const body: Schemas['CreateFieldIndex'] = { field_name: key, field_schema: type };
    await this.#transport.send('PUT', `${collectionPath(collection)}/index?wait=true`, { body });
  }

  async deleteCollection(name: string): Promise<boolean> {
    return this.#transport.send<boolean>('DELETE', collectionPath(name));
  }

  async listCollections(): Promise<string[]> {
    const { collections } = await this.#transport.send<Schemas['CollectionsResponse']>('GET', '/collections');
    return collections.map(({ name }) => name);
  }

  async listAliases(): Promise<Record<string, string>> {
    const { aliases } = await this.#transport.send<Schemas['CollectionsAliasesResponse']>('GET', '/aliases');
    return Object.fromEntries(aliases.map(({ alias_name, collection_name }) => [alias_name, collection_name]));
  }

  /** Readers wait for the whole request, so they see every alias before the change or every alias after it. */
  async setAliases(aliases: Record<string, string>): Promise<void> {
    const actions = Object.entries(aliases).map(
      // Creating an alias that exists moves it.
      ([alias_name, collection_name]): Schemas['AliasOperations'] => ({
        create_alias: { collection_name, alias_name },
      }),
    );
    if (actions.length === 0) return;
    const body: Schemas['ChangeAliasesOperation'] = { actions };
    await this.#transport.send('POST', '/collections/aliases', { body });
  }

  /** `undefined` when there is no such collection. */
  async #info(name: string): Promise<Schemas['CollectionInfo'] | undefined> {
    try {
      return await this.#transport.send<Schemas['CollectionInfo']>('GET', collectionPath(name));
    } catch (error) {
      if (error instanceof VectorStoreRejectedError && error.status === 404) return undefined;
      throw error;
    }
  }
}

function isUnnamed(vectors: object): vectors is Schemas['VectorParams'] {
  return typeof (vectors as { size?: unknown }).size === 'number';
}

export function collectionPath(name: string): string {
  return `/collections/${encodeURIComponent(name)}`;
}

function collectionBody(spec: CollectionSpec): Schemas['CreateCollection'] {
  const quantization = quantizationConfig(spec.quantization);
  return {
    vectors: { [DENSE]: { size: spec.dimensions, distance: 'Cosine', on_disk: spec.isOnDisk } },
    sparse_vectors: { [LEXICAL]: { modifier: 'idf', index: { on_disk: spec.isOnDisk } } },
    on_disk_payload: spec.isOnDisk,
    ...(spec.shardNumber === undefined ? {} : { shard_number: spec.shardNumber }),
    ...(spec.replicationFactor === undefined ? {} : { replication_factor: spec.replicationFactor }),
    ...(spec.writeConsistencyFactor === undefined ? {} : { write_consistency_factor: spec.writeConsistencyFactor }),
    ...(quantization ? { quantization_config: quantization } : {}),
  };
}

/** The quantized copy stays in memory; with `isOnDisk` the full vectors are read from disk for the few that it ranks. */
function quantizationConfig(mode: QuantizationMode): Schemas['QuantizationConfig'] | undefined {
  switch (mode) {
    case 'none':
      return undefined;
    case 'scalar':
      return { scalar: { type: 'int8', quantile: 0.99, always_ram: true } };
    case 'binary':
      return { binary: { always_ram: true } };
  }
}

function collectionInfo(info: Schemas['CollectionInfo']): CollectionInfo {
  const { vectors, sparse_vectors: sparse } = info.config.params;
  const dense = vectors && DENSE in vectors ? (vectors as Record<string, Schemas['VectorParams']>)[DENSE] : undefined;
  return {
    dimensions: dense?.size ?? 0,
    distance: dense?.distance ?? 'none',
    hasLexical: sparse?.[LEXICAL] !== undefined,
    payloadIndexes: Object.fromEntries(
      Object.entries(info.payload_schema).flatMap(([key, index]) => (index ? [[key, index.data_type]] : [])),
    ),
    pointCount: info.points_count ?? 0,
  };
}

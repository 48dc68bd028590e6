import { DomainError } from '../errors/domain-error';
import type { Logger } from '../logging/logger';
import type { RecordKind } from '../record/record-spec';
import type { Generation } from './generation-store';
import { payloadIndexes } from './record-payload';
import type { CollectionInfo, QuantizationMode, VectorStore } from './vector-store';

export interface CollectionSettings {
  /** Start of every collection's and alias's name; tests on a shared server choose their own. */
  prefix: string;
  shardNumber?: number;
  replicationFactor?: number;
  writeConsistencyFactor?: number;
  quantization: QuantizationMode;
  isOnDisk: boolean;
}

export const defaultCollectionSettings: CollectionSettings = {
  prefix: 'kindred_',
  quantization: 'none',
  isOnDisk: false,
};

const DISTANCE = 'Cosine';
const LONGEST_SLUG = 60;

/** Keeps the vector server's collections and aliases as the generations want them. */
export class CollectionKeeper {
  constructor(
    private readonly store: VectorStore,
    private readonly kinds: readonly RecordKind[],
    private readonly settings: CollectionSettings,
    private readonly logger: Logger,
  ) {}

  /** The name under which others find a kind's live collection. */
  alias(kind: string): string {
    return `${this.settings.prefix}${kind}`;
  }

  collectionName(kind: string, modelName: string, number: number): string {
    const slug = modelName.toLowerCase().replace(/[^a-z0-9]+/g, '-');
    return `${this.alias(kind)}__${slug.slice(0, LONGEST_SLUG)}__${number}`;
  }

  /**
   * Creates a collection that is not there, or checks the one that is.
   * @param present the server's collections
   * @returns whether it was created
   * @throws COLLECTION_MISMATCH dimensions or distance are not the generation's
   */
  async ensure(generation: Generation, present: ReadonlySet<string>): Promise<boolean> {
    const { collection, kind, dimensions } = generation;
    const indexes = payloadIndexes(this.kind(kind));
    const info = present.has(collection) ? await this.store.describeCollection(collection) : undefined;
    if (!info) {
      const { prefix: _, ...layout } = this.settings;
      await this.store.createCollection({ name: collection, dimensions, payloadIndexes: indexes, ...layout });
      this.logger.debug({ collection }, 'collection created');
      return true;
    }
    this.checkShape(generation, info);
    const lacking = Object.entries(indexes).filter(([key, type]) => info.payloadIndexes[key] !== type);
    await Promise.all(lacking.map(([key, type]) => this.store.createPayloadIndex(collection, key, type)));
    return false;
  }

  /**
   * Leads every kind's alias to its live collection, all in one request.
   * @param all every generation there is or was
   * @param aliases as the server has them
   * @throws COLLECTION_MISMATCH an alias is another database's
   */
  async leadAliases(
    live: readonly Generation[],
    all: readonly Generation[],
    aliases: Readonly<Record<string, string>>,
  ): Promise<void> {
    const ours = new Set(all.map(({ collection }) => collection));
    const wrong: Record<string, string> = {};
    for (const { kind, collection } of live) {
      const target = aliases[this.alias(kind)];
      if (target === collection) continue;
      if (target !== undefined && !ours.has(target)) {
        throw new DomainError(
          'COLLECTION_MISMATCH',
          `The alias ${this.alias(kind)} in Qdrant leads to ${target}, which belongs to another database. Choose another ` +
            `collection prefix, or delete that alias if nothing uses it any more.`,
          { details: { alias: this.alias(kind), collection: target } },
        );
      }
      wrong[this.alias(kind)] = collection;
    }
    await this.store.setAliases(wrong);
  }

  /** @throws COLLECTION_MISMATCH it has another shape than the generation's */
  checkShape(generation: Generation, info: CollectionInfo): void {
    const { collection, dimensions } = generation;
    const isAsExpected = info.dimensions === dimensions && info.distance === DISTANCE && info.hasLexical;
    if (isAsExpected) return;
    throw new DomainError(
      'COLLECTION_MISMATCH',
      `The collection ${collection} has ${info.dimensions} dimensions and distance ${info.distance}` +
        `${info.hasLexical ? '' : ' and no lexical vectors'}; it must have ${dimensions} and ${DISTANCE} with lexical ` +
        `vectors. Something else has changed it: delete it in Qdrant and start again, and it is filled anew.`,
      { details: { collection } },
    );
  }

  private kind(name: string): RecordKind {
    const found = this.kinds.find((kind) => kind.kind === name);
    if (!found) throw new Error(`There is no embeddable kind ${name}`);
    return found;
  }
}

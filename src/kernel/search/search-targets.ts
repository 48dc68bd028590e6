import { specOf } from '../embedding/embedding-reader';
import { queryVector } from '../embedding/lexical';
import { DomainError } from '../errors/domain-error';
import { filterToVector } from '../record/filter';
import type { Wanted } from '../record/record-columns';
import type { RecordKind } from '../record/record-spec';
import type { Route } from '../vector/route';
import type { VectorCondition, VectorFilter } from '../vector/vector-filter';
import { DENSE, LEXICAL, type QueryTarget, type VectorName } from '../vector/vector-store';
import { searchModes, type SearchModeName } from './search-mode';
import { MAX_HIT_DEPTH, type SearchQuery, type SearchRequest, type StoredRecord } from './search-request';
import type { SearchReads } from './search-reads';

/** Points of one stored record that a similarity starts from. */
const MAX_EXAMPLES = 16;
const KEYS_ONLY: Wanted = new Set();

export interface Prepared {
  request: SearchRequest;
  mode: SearchModeName;
  targets: { target: QueryTarget; weight: number }[];
  filter: VectorFilter;
}

/** Turns what is asked into what the vector server is to compare with, and refuses what cannot be. */
export class SearchTargets {
  /** @param route whose collections are searched, and of whose model all vectors are */
  constructor(private readonly route: Route) {}

  /**
   * @param vectors of every text to be compared by meaning
   * @returns `undefined` when there is nothing to compare with yet
   */
  async prepare(
    request: SearchRequest,
    reads: SearchReads,
    vectors: ReadonlyMap<string, Float32Array>,
  ): Promise<Prepared | undefined> {
    const spec = specOf(request.kind);
    const types = request.embeddingTypes ?? spec.defaultTypes;
    for (const type of types) {
      if (!Object.hasOwn(spec.types, type)) {
        throw new DomainError(
          'UNKNOWN_EMBEDDING_TYPE',
          `query.embeddingTypes: '${type}' is no embedding type of ${request.kind.names.label}s; there are ${Object.keys(spec.types).join(', ')}.`,
          { details: { field: 'query.embeddingTypes', allowed: Object.keys(spec.types) } },
        );
      }
    }
    if (request.offset + request.first > MAX_HIT_DEPTH) {
      throw new DomainError('BAD_INPUT', `A search goes at most ${MAX_HIT_DEPTH} hits deep; narrow it by a filter.`, {
        details: { field: 'after', max: MAX_HIT_DEPTH },
      });
    }
    const mode = this.modeOf(request);
    const targets = await this.targetsOf(request, mode, reads, vectors);
    if (!targets) return undefined;
    const must: VectorCondition[] = [
      types.length === 1
        ? { key: 'embedding_type', match: { value: types[0] as string } }
        : { key: 'embedding_type', match: { any: [...types] } },
    ];
    if (request.filter.archived !== 'INCLUDE') {
      must.push({ key: 'archived', match: { value: request.filter.archived === 'ONLY' } });
    }
    const condition = request.filter.condition;
    if (!('all' in condition) || condition.all.length > 0) must.push(filterToVector(condition));
    const excluded = excludedIds(request);
    const filter: VectorFilter = { must };
    if (excluded.length > 0) filter.must_not = [{ key: 'entity_id', match: { any: excluded } }];
    return { request, mode, targets, filter };
  }

  private modeOf(request: SearchRequest): SearchModeName {
    const isDenseOnly = 'vector' in request.query || 'positive' in request.query || request.diversity !== undefined;
    const mode = request.mode ?? (isDenseOnly ? 'SEMANTIC' : specOf(request.kind).defaultMode);
    if (isDenseOnly && mode !== 'SEMANTIC') {
      const what = request.diversity === undefined ? 'A search by vector or by examples' : 'diversity';
      throw new DomainError('BAD_INPUT', `${what} works in mode SEMANTIC only, not in ${mode}.`, {
        details: { field: 'query.mode', allowed: [searchModes[0]] },
      });
    }
    return mode;
  }

  /** `undefined` when there is nothing to compare with yet. */
  private async targetsOf(
    request: SearchRequest,
    mode: SearchModeName,
    reads: SearchReads,
    vectors: ReadonlyMap<string, Float32Array>,
  ): Promise<Prepared['targets'] | undefined> {
    const { hybridWeights } = specOf(request.kind);
    const build = (target: (name: VectorName) => QueryTarget): Prepared['targets'] => [
      ...(mode === 'LEXICAL' ? [] : [{ target: target(DENSE), weight: hybridWeights.dense }]),
      ...(mode === 'SEMANTIC' ? [] : [{ target: target(LEXICAL), weight: hybridWeights.lexical }]),
    ];
    const { query } = request;
    if ('text' in query) {
      return build((name) =>
        name === DENSE ? { dense: vectors.get(query.text) as Float32Array } : { lexical: queryVector(query.text) },
      );
    }
    if ('vector' in query) {
      this.checkVector(query.vector);
      return build(() => ({ dense: query.vector }));
    }
    const lookupFrom = (kind: RecordKind): string | undefined =>
      kind === request.kind ? undefined : this.route.collection(kind.kind);
    if ('near' in query) {
      const positive = await this.pointsOf(query.near, reads);
      if (positive.length === 0) return undefined;
      const from = lookupFrom(query.near.kind);
      return build((using) => ({ using, positive, strategy: 'average_vector', lookupFrom: from }));
    }
    return this.exampleTargets(query, reads, lookupFrom);
  }

  private async exampleTargets(
    query: Extract<SearchQuery, { positive: StoredRecord[] }>,
    reads: SearchReads,
    lookupFrom: (kind: RecordKind) => string | undefined,
  ): Promise<Prepared['targets'] | undefined> {
    const all = [...query.positive, ...query.negative];
    const kind = all[0]?.kind;
    if (!kind) throw new DomainError('BAD_INPUT', 'examples.positive: give at least one example.');
    if (all.some((example) => example.kind !== kind)) {
      throw new DomainError('BAD_INPUT', 'query.examples: all examples must be of one type.', {
        details: { field: 'query.examples' },
      });
    }
    const points = async (list: StoredRecord[]): Promise<string[]> =>
      (await Promise.all(list.map((example) => this.pointsOf(example, reads)))).flat();
    const [positive, negative] = await Promise.all([points(query.positive), points(query.negative)]);
    if (positive.length === 0) return undefined;
    const target: QueryTarget = {
      using: DENSE,
      positive,
      negative: negative.length > 0 ? negative : undefined,
      strategy: query.strategy,
      lookupFrom: lookupFrom(kind),
    };
    return [{ target, weight: 1 }];
  }

  private async pointsOf(stored: StoredRecord, reads: SearchReads): Promise<string[]> {
    if (stored.pointId !== undefined) return [stored.pointId];
    const rows = await reads.embeddingsOf(stored.kind, stored.id, KEYS_ONLY);
    const { defaultTypes } = specOf(stored.kind);
    return rows
      .filter((row) => defaultTypes.includes(row.embeddingType))
      .slice(0, MAX_EXAMPLES)
      .map((row) => row.qdrantPointId);
  }

  private checkVector(vector: readonly number[]): void {
    const { dimensions } = this.route.model;
    if (vector.length !== dimensions) {
      throw new DomainError(
        'VECTOR_DIMENSION_MISMATCH',
        `query.vector has ${vector.length} dimensions; the model's vectors have ${dimensions}.`,
        { details: { field: 'query.vector', expected: dimensions, actual: vector.length } },
      );
    }
    // The vector server keeps single precision; beyond it a number is infinite there, or nothing.
    let hasDirection = false;
    for (const value of vector) {
      const single = Math.fround(value);
      if (!Number.isFinite(single)) {
        throw new DomainError('BAD_INPUT', 'query.vector: every number must be finite, in single precision too.', {
          details: { field: 'query.vector' },
        });
      }
      hasDirection ||= single !== 0;
    }
    if (!hasDirection) {
      throw new DomainError('BAD_INPUT', 'query.vector: every number is 0, so it has no direction to compare.', {
        details: { field: 'query.vector' },
      });
    }
  }
}

/** A record is not similar to itself: examples are left out of what they find. */
function excludedIds(request: SearchRequest): number[] {
  const { query } = request;
  if ('near' in query) return query.near.kind === request.kind && request.unit === 'entity' ? [query.near.id] : [];
  if (!('positive' in query)) return [];
  return [...query.positive, ...query.negative].filter((one) => one.kind === request.kind).map((one) => one.id);
}

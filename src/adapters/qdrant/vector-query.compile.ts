import { DomainError } from '../../kernel/errors/domain-error';
import type { PointId, QueryTarget, VectorQuery } from '../../kernel/vector/vector-store';
import { DENSE, LEXICAL } from '../../kernel/vector/vector-store';
import { compileFilter } from './filter.compile';
import type { Schemas } from './qdrant.types';

export interface CompiledQuery {
  request: Schemas['QueryRequest'];
  /** Turns a score as Qdrant reports it into the port's. */
  scoreOf: (score: number) => number;
}

type ExampleTarget = Extract<QueryTarget, { positive: PointId[] }>;
type TargetRequest = Pick<Schemas['QueryRequest'], 'query' | 'using' | 'lookup_from'>;

const asReported = (score: number): number => score;

/**
 * One `VectorQuery` as one request of Qdrant's query batch.
 * @param isFused whether hits are scored by reciprocal rank rather than by their similarity
 */
export function compileQuery(collection: string, query: VectorQuery, isFused: boolean): CompiledQuery {
  const [first] = query.targets;
  if (!first) throw new DomainError('BAD_INPUT', 'A vector query needs at least one target');
  const page = {
    limit: query.limit,
    ...(query.offset ? { offset: query.offset } : {}),
    with_payload: query.payloadKeys.length > 0 ? query.payloadKeys : false,
  };
  if (isFused) return compileFusion(collection, query, page);

  const { target } = first;
  const isScaled = isBestOfPositives(target);
  const threshold = query.scoreThreshold;
  return {
    request: {
      ...(query.diversity === undefined
        ? targetRequest(collection, target)
        : diverseRequest(
            collection,
            target,
            query.diversity,
            Math.max(first.limit, query.limit + (query.offset ?? 0)),
          )),
      ...page,
      ...(query.filter ? { filter: compileFilter(query.filter) } : {}),
      ...(threshold === undefined ? {} : { score_threshold: isScaled ? toBestScore(threshold) : threshold }),
    },
    scoreOf: isScaled ? fromBestScore : asReported,
  };
}

/**
 * Reciprocal rank fusion inside Qdrant. The filter stands at each prefetch: fused points come from nowhere else, and
 * a filter at the top is only copied down to the same places.
 */
function compileFusion(
  collection: string,
  query: VectorQuery,
  page: Pick<Schemas['QueryRequest'], 'limit' | 'offset' | 'with_payload'>,
): CompiledQuery {
  if (query.diversity !== undefined) {
    throw new DomainError('BAD_INPUT', `diversity takes one target, not the fusion of ${query.targets.length}`);
  }
  return {
    request: {
      prefetch: query.targets.map(({ target, limit }) => ({
        ...targetRequest(collection, target),
        limit,
        ...(query.filter ? { filter: compileFilter(query.filter) } : {}),
      })),
      query: { rrf: { weights: query.targets.map(({ weight }) => weight) } },
      ...page,
      ...(query.scoreThreshold === undefined ? {} : { score_threshold: query.scoreThreshold }),
    },
    scoreOf: asReported,
  };
}

function targetRequest(collection: string, target: QueryTarget): TargetRequest {
  if ('dense' in target) return { query: numbers(target.dense), using: DENSE };
  if ('lexical' in target) return { query: target.lexical, using: LEXICAL };
  const query = isOneExample(target)
    ? target.positive[0]!
    : {
        recommend: {
          positive: target.positive,
          ...(target.negative?.length ? { negative: target.negative } : {}),
          strategy: target.strategy,
        },
      };
  return { query, using: target.using, ...lookup(collection, target) };
}

/** JSON writes a typed array as an object. */
function numbers(vector: readonly number[] | Float32Array): number[] {
  return Array.isArray(vector) ? vector : Array.from(vector);
}

function diverseRequest(collection: string, target: QueryTarget, diversity: number, candidates: number): TargetRequest {
  const mmr = { diversity, candidates_limit: candidates };
  if ('dense' in target) return { query: { nearest: numbers(target.dense), mmr }, using: DENSE };
  if ('positive' in target && target.using === DENSE && isOneExample(target)) {
    return { query: { nearest: target.positive[0]!, mmr }, using: DENSE, ...lookup(collection, target) };
  }
  throw new DomainError('BAD_INPUT', 'diversity takes one dense vector or one stored point to compare with');
}

/** Qdrant leaves the examples out of the hits only when they are looked up in the collection that is searched. */
function lookup(collection: string, target: ExampleTarget): Pick<Schemas['QueryRequest'], 'lookup_from'> {
  if (target.lookupFrom === undefined || target.lookupFrom === collection) return {};
  return { lookup_from: { collection: target.lookupFrom, vector: target.using } };
}

/** One positive and nothing else is a plain query by point id, by any strategy: cheaper, and its score is a cosine. */
function isOneExample(target: ExampleTarget): boolean {
  return target.positive.length === 1 && !target.negative?.length;
}

function isBestOfPositives(target: QueryTarget): boolean {
  return (
    'positive' in target && target.strategy === 'best_score' && target.positive.length > 1 && !target.negative?.length
  );
}

/** Qdrant squeezes a best similarity x into 0..1 by this sigmoid. */
function toBestScore(similarity: number): number {
  return 0.5 * (similarity / (1 + Math.abs(similarity)) + 1);
}

/** The inverse: with only positives, the score is the best similarity itself again. */
function fromBestScore(score: number): number {
  const fraction = 2 * score - 1;
  return fraction / (1 - Math.abs(fraction));
}

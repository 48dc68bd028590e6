import type { Collection, PointVector } from '../engine/collection';
import { both, type Filter } from '../filter/filter';
import type { PointId } from '../point-id';
import { writePointId } from '../point-id';
import { badInput, notFound, type QdrantError } from '../qdrant-error';
import type { LookupFrom, Query, Stage, VectorInput } from '../schema/query.schema';
import { Candidates } from './candidates';
import { contextScores, bestScores, discoverScores, sumScores, type PairRows } from './example-scores';
import { scoreByFormula } from './formula';
import { distributionFusion, reciprocalRankFusion } from './fusion';
import { best, type Hit } from './hit';
import { maximalMarginalRelevance } from './mmr';
import { orderedByField } from './order-values';
import { sampled } from './sample';
import { VectorSearch, type Example } from './similarity';

/** Finds a collection by name or alias. */
export type FindCollection = (name: string) => Collection;

/**
 * Runs queries against one collection. One runner serves all queries of a batch: equal filters are evaluated once, and
 * plain nearest-neighbour stages over the same vectors and filter share one pass over memory.
 */
export class QueryRunner {
  private readonly candidates = new Map<Filter | undefined, Candidates>();
  private readonly candidatesByText = new Map<string, Candidates>();
  /** Answers found ahead of time, by stage. */
  private readonly prepared = new Map<Stage, Hit[]>();

  constructor(
    private readonly collection: Collection,
    private readonly find: FindCollection,
  ) {}

  /** @returns ranked hits, at most `limit + offset`, offset not yet taken off */
  run(stage: Stage, offset: number): Hit[] {
    return this.stage({ ...stage, limit: stage.limit + offset }, this.outermostFilter(stage));
  }

  runAll(requests: readonly { stage: Stage; offset: number }[]): Hit[][] {
    const outermost = requests.map(({ stage, offset }) => ({
      stage: { ...stage, limit: stage.limit + offset },
      filter: this.outermostFilter(stage),
    }));
    this.prepare(outermost);
    return outermost.map(({ stage, filter }) => this.stage(stage, filter));
  }

  /** The request's filter without the points that it names as examples. */
  outermostFilter(stage: Stage): Filter | undefined {
    const ids = this.referencedIds(stage);
    return ids.length === 0 ? stage.filter : both({ mustNot: [{ kind: 'has_id', ids }] }, stage.filter);
  }

  private stage(stage: Stage, filter: Filter | undefined): Hit[] {
    validate(stage);
    const prepared = this.prepared.get(stage);
    if (prepared !== undefined) return prepared;
    if (stage.prefetch.length === 0) return this.leaf(stage, this.matching(filter));
    const lists = stage.prefetch.map((prefetch) => this.stage(prefetch, both(filter, prefetch.filter)));
    return this.rescore(stage, lists);
  }

  private leaf(stage: Stage, candidates: Candidates): Hit[] {
    const { query } = stage;
    if (query === undefined) {
      const slots = this.collection.order.slots().filter((slot) => candidates.has(slot));
      return slots.slice(0, stage.limit).map((slot) => ({ slot, score: 1 }));
    }
    if (query.kind === 'rrf' || query.kind === 'dbsf') throw badInput('cannot apply Fusion without prefetches');
    if (query.kind === 'formula') throw badInput('cannot apply Formula without prefetches');
    return this.scored(stage, query, candidates);
  }

  private rescore(stage: Stage, lists: Hit[][]): Hit[] {
    const { query, limit, scoreThreshold } = stage;
    if (query === undefined) throw noQuery();
    if (query.kind === 'rrf')
      return atLeast(reciprocalRankFusion(lists, query.k, query.weights), scoreThreshold, limit);
    if (query.kind === 'dbsf') return atLeast(distributionFusion(lists), scoreThreshold, limit);
    if (query.kind === 'formula') {
      return atLeast(scoreByFormula(this.collection, query.formula, query.defaults, lists), scoreThreshold, limit);
    }
    const slots = lists.flatMap((list) => list.map(({ slot }) => slot));
    return this.scored(stage, query, Candidates.of(this.collection, slots));
  }

  private scored(
    stage: Stage,
    query: Exclude<Query, { kind: 'rrf' | 'dbsf' | 'formula' }>,
    candidates: Candidates,
  ): Hit[] {
    const { limit, scoreThreshold } = stage;
    if (query.kind === 'order_by') return orderedByField(this.collection, candidates, query.orderBy).slice(0, limit);
    if (query.kind === 'sample') return sampled(candidates.slots(), limit);
    const search = new VectorSearch(this.collection, stage.using);
    const resolve = (input: VectorInput): Example => this.resolve(search, stage, input);
    switch (query.kind) {
      case 'nearest':
        return search.nearest([resolve(query.input)], candidates, limit, [scoreThreshold])[0] ?? [];
      case 'mmr': {
        const example = resolve(query.input);
        const pool = query.candidatesLimit ?? limit;
        const [found = []] = search.nearest([example], candidates, pool, [scoreThreshold]);
        return maximalMarginalRelevance(this.collection, search, example, found, query.lambda, limit);
      }
      case 'recommend': {
        const [positive, negative] = [query.positive.map(resolve), query.negative.map(resolve)];
        if (query.strategy === 'average_vector') {
          const average = search.average(positive, negative);
          return search.nearest([average], candidates, limit, [scoreThreshold])[0] ?? [];
        }
        if (positive.length + negative.length === 0)
          throw badInput('At least one positive or negative vector must be given');
        const { slots, rows } = search.similarities([...positive, ...negative], candidates);
        const combine = query.strategy === 'best_score' ? bestScores : sumScores;
        const scores = combine(rows.slice(0, positive.length), rows.slice(positive.length), slots.length);
        return above(best(scores, limit, slots, undefined), scoreThreshold);
      }
      case 'discover': {
        const pairs = query.context.map((pair) => [resolve(pair.positive), resolve(pair.negative)] as const);
        const { slots, rows } = search.similarities([resolve(query.target), ...pairs.flat()], candidates);
        const [target = new Float32Array(0), ...rest] = rows;
        const scores = discoverScores(target, pairRows(rest), slots.length);
        return above(best(scores, limit, slots, undefined), scoreThreshold);
      }
      case 'context': {
        const pairs = query.context.map((pair) => [resolve(pair.positive), resolve(pair.negative)] as const);
        const { slots, rows } = search.similarities(pairs.flat(), candidates);
        return above(best(contextScores(pairRows(rows), slots.length), limit, slots, undefined), scoreThreshold);
      }
    }
  }

  /** Answers all plain nearest-neighbour leaves, grouped so that each group reads the vectors once. */
  private prepare(outermost: readonly { stage: Stage; filter: Filter | undefined }[]): void {
    const groups = new Map<string, Map<Candidates, Stage[]>>();
    const visit = (stage: Stage, filter: Filter | undefined): void => {
      for (const prefetch of stage.prefetch) visit(prefetch, both(filter, prefetch.filter));
      if (stage.prefetch.length > 0 || stage.query?.kind !== 'nearest' || !this.collection.dense.has(stage.using))
        return;
      const byCandidates = groups.get(stage.using) ?? new Map<Candidates, Stage[]>();
      groups.set(stage.using, byCandidates);
      const candidates = this.matching(filter);
      byCandidates.set(candidates, [...(byCandidates.get(candidates) ?? []), stage]);
    };
    for (const { stage, filter } of outermost) visit(stage, filter);
    for (const [using, byCandidates] of groups) {
      const search = new VectorSearch(this.collection, using);
      for (const [candidates, stages] of byCandidates) this.answerTogether(search, candidates, stages);
    }
  }

  private answerTogether(search: VectorSearch, candidates: Candidates, stages: readonly Stage[]): void {
    if (stages.length < 2) return;
    const examples = stages.map((stage) => this.resolve(search, stage, (stage.query as { input: VectorInput }).input));
    const limit = Math.max(...stages.map((stage) => stage.limit));
    const thresholds = stages.map((stage) => stage.scoreThreshold);
    const lists = search.nearest(examples, candidates, limit, thresholds);
    for (const [at, stage] of stages.entries()) this.prepared.set(stage, (lists[at] as Hit[]).slice(0, stage.limit));
  }

  private matching(filter: Filter | undefined): Candidates {
    const known = this.candidates.get(filter);
    if (known !== undefined) return known;
    const text = filter === undefined ? '' : filterText(filter);
    const candidates = this.candidatesByText.get(text) ?? Candidates.matching(this.collection, filter);
    this.candidates.set(filter, candidates);
    this.candidatesByText.set(text, candidates);
    return candidates;
  }

  private resolve(search: VectorSearch, stage: Stage, input: VectorInput): Example {
    if (!('id' in input)) return search.fit(input);
    const { lookupFrom } = stage;
    const source = lookupFrom === undefined ? this.collection : this.find(lookupFrom.collection);
    return search.fit(lookUp(source, lookupFrom?.vector ?? stage.using, input.id));
  }

  /** Ids of this collection's points that serve as examples anywhere in the request. */
  private referencedIds(stage: Stage): PointId[] {
    const nested = stage.prefetch.flatMap((prefetch) => this.referencedIds(prefetch));
    return this.looksElsewhere(stage.lookupFrom) ? nested : [...inputsOf(stage.query), ...nested];
  }

  private looksElsewhere(lookupFrom: LookupFrom | undefined): boolean {
    return lookupFrom !== undefined && this.find(lookupFrom.collection) !== this.collection;
  }
}

/** @throws 404 when there is no such point, or when it has no such vector */
export function lookUp(collection: Collection, vector: string, id: PointId): PointVector {
  collection.paramsOf(vector);
  const slot = collection.slotOf(id);
  const name = writePointId(id).replaceAll('"', '');
  if (slot === undefined) throw notFound(`No point with id ${name} found`);
  const found = collection.vectorAt(slot, vector);
  if (found === undefined) throw notFound(`Vector with name "${vector}" for point ${name} not found`);
  return found;
}

function inputsOf(query: Query | undefined): PointId[] {
  const inputs = ((): VectorInput[] => {
    switch (query?.kind) {
      case 'nearest':
      case 'mmr':
        return [query.input];
      case 'recommend':
        return [...query.positive, ...query.negative];
      case 'discover':
        return [query.target, ...query.context.flatMap(({ positive, negative }) => [positive, negative])];
      case 'context':
        return query.context.flatMap(({ positive, negative }) => [positive, negative]);
      default:
        return [];
    }
  })();
  return inputs.flatMap((input) => ('id' in input ? [input.id] : []));
}

function validate({ prefetch, query, scoreThreshold, using }: Stage): void {
  if (prefetch.length > 0 && query === undefined) throw noQuery();
  if (scoreThreshold !== undefined && query === undefined) {
    throw badInput(
      "A query is needed to use the score_threshold. Can't have score_threshold without defining a query.",
    );
  }
  if (scoreThreshold !== undefined && query?.kind === 'order_by') {
    throw badInput("Can't use score_threshold with an order_by query.");
  }
  const isFusion = query?.kind === 'rrf' || query?.kind === 'dbsf';
  if (isFusion && using !== '') throw badInput("Fusion queries cannot be combined with the 'using' field.");
}

const noQuery = (): QdrantError =>
  badInput("A query is needed to merge the prefetches. Can't have prefetches without defining a query.");

/** A threshold on fused and formula scores lets equal scores through. */
function atLeast(hits: Hit[], threshold: number | undefined, limit: number): Hit[] {
  const kept = threshold === undefined ? hits : hits.filter(({ score }) => score >= Math.fround(threshold));
  return kept.slice(0, limit);
}

function above(hits: Hit[], threshold: number | undefined): Hit[] {
  return threshold === undefined ? hits : hits.filter(({ score }) => score > Math.fround(threshold));
}

function pairRows(rows: readonly Float32Array[]): PairRows[] {
  const pairs: PairRows[] = [];
  for (let at = 0; at + 1 < rows.length; at += 2) {
    pairs.push({ positive: rows[at] as Float32Array, negative: rows[at + 1] as Float32Array });
  }
  return pairs;
}

const filterText = (filter: Filter): string =>
  JSON.stringify(filter, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));

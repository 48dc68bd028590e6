import type { Database } from '../../../kernel/db/database';
import { DomainError } from '../../../kernel/errors/domain-error';
import type { Route } from '../../../kernel/vector/route';
import { grouped } from '../grouped';
import { absent } from '../scheme/tag-scheme-store';
import { RULES_FROM, THRESHOLD } from '../tagging/tag-vocabulary';
import { plattScaling, probabilityOf, type Calibration, type Judged } from './platt';
import { bestThreshold, outcomeAt, type ThresholdOutcome } from './threshold';

/** Judged pairs of one range of probability: whether what is said to be right so often is. */
export interface CurveBin {
  from: number;
  to: number;
  count: number;
  meanProbability: number;
  acceptedShare: number;
}

/** How well a tag (or a whole scheme) is suggested, by what people decided. */
export interface Quality {
  /** Null for the scheme as a whole. */
  tagId: number | null;
  accepted: number;
  rejected: number;
  /** Where the tag is suggested now. */
  current: ThresholdOutcome;
  /** Where it would best be suggested; absent while too little has been decided. */
  suggested: ThresholdOutcome | null;
  calibration: Calibration | null;
  /** Whether the curve is the scheme's, because too little has been decided on the tag itself. */
  isPooled: boolean;
  /** Mean squared difference of probability and decision. */
  brierScore: number | null;
  curve: CurveBin[];
}

export interface QualityReport {
  scheme: string;
  modelId: number;
  overall: Quality;
  tags: Quality[];
}

interface JudgedRow extends Judged {
  tagId: number;
}

interface TagRow {
  id: number;
  threshold: number;
}

/**
 * Accepted and rejected pairs that a tag has to have before its suggested threshold is applied unasked for less. With ten
 * accepted ones a threshold of its own was worse than the common one (F1 0.159 against 0.195), with ninety far better
 * (0.646 against 0.460). Chosen with these figures in view; bench/results/tagging-quality.md says what that is worth.
 */
export const LEAST_TO_APPLY = 20;
/** Decisions on a tag, of both sorts, from which a curve and a threshold of its own are fitted. */
const LEAST_DECISIONS = 10;
const LEAST_OF_EACH = 2;
const BINS = 10;

/** What can be learnt from decisions. It changes nothing but by `applySuggested`. */
export class TagQuality {
  constructor(
    private readonly database: Database,
    private readonly route: () => Route,
  ) {}

  /**
   * @param options.minPrecision suggest the threshold that finds most at that precision, instead of that with the best F1
   * @throws NOT_FOUND no such scheme
   */
  async report(
    scheme: string,
    options: { tagIds?: readonly number[]; minPrecision?: number } = {},
  ): Promise<QualityReport> {
    const { minPrecision } = options;
    if (minPrecision !== undefined && !(minPrecision > 0 && minPrecision <= 1)) {
      throw new DomainError('BAD_INPUT', `minPrecision: ${minPrecision} must be above 0 and at most 1.`, {
        details: { field: 'minPrecision' },
      });
    }
    const [rules] = await this.database.query<{ threshold: number }>(
      'SELECT threshold FROM tag_schemes WHERE name = $1',
      [scheme],
    );
    if (!rules) throw absent(scheme);
    const { modelId } = this.route().model;
    const [judged, tags] = await Promise.all([this.judged(scheme, modelId), this.tags(scheme, options.tagIds)]);
    const thresholds = new Map(tags.map((tag) => [tag.id, tag.threshold]));
    const pooled = plattScaling(judged);
    const byTag = grouped(judged, (one) => one.tagId);
    const overall = qualityOf(null, judged, rules.threshold, pooled, false, minPrecision);
    return {
      scheme,
      modelId,
      overall,
      tags: [...thresholds].flatMap(([tagId, threshold]) => {
        const own = byTag.get(tagId) ?? [];
        if (own.length === 0 && !options.tagIds) return [];
        const isPooled = !isEnough(own);
        return [qualityOf(tagId, own, threshold, isPooled ? pooled : plattScaling(own), isPooled, minPrecision)];
      }),
    };
  }

  /**
   * Gives tags the thresholds that are suggested for them; they are then compared with all texts again.
   * @param options.minOfEach accepted and rejected pairs that a tag must have
   * @returns ids of the tags that have another threshold now
   */
  async applySuggested(
    scheme: string,
    options: { tagIds?: readonly number[]; minPrecision?: number; minOfEach?: number },
    actor: string,
  ): Promise<number[]> {
    const { minOfEach = LEAST_TO_APPLY } = options;
    const { tags } = await this.report(scheme, options);
    const chosen = tags.flatMap(({ tagId, suggested, accepted, rejected }) =>
      tagId !== null && suggested && Math.min(accepted, rejected) >= minOfEach ? [{ tagId, suggested }] : [],
    );
    const rows = await this.database.transaction({ actor, isBulk: true }, (transaction) =>
      transaction.query<{ id: number }>(
        `UPDATE tag_concepts tag SET threshold = chosen.threshold
         FROM unnest($1::int[], $2::float8[]) AS chosen (id, threshold)
         WHERE tag.id = chosen.id AND tag.threshold IS DISTINCT FROM chosen.threshold RETURNING tag.id`,
        [chosen.map(({ tagId }) => tagId), chosen.map(({ suggested }) => suggested.threshold)],
      ),
    );
    return rows.map((row) => row.id);
  }

  /** The last decision on each pair, where the pair's score by this model is known. */
  private judged(scheme: string, modelId: number): Promise<JudgedRow[]> {
    return this.database.query<JudgedRow>(
      `SELECT last."tagId", last.score, last.action IN ('accept', 'add') AS "isAccepted" FROM (
         SELECT DISTINCT ON (d.kind, d.subject_id, d.tag_concept_id) d.tag_concept_id AS "tagId", d.score, d.action
         FROM tag_decisions d JOIN tag_concepts tag ON tag.id = d.tag_concept_id
         WHERE tag.scheme = $1 AND d.model_id = $2 AND d.score IS NOT NULL
         ORDER BY d.kind, d.subject_id, d.tag_concept_id, d.id DESC
       ) last WHERE last.action IN ('accept', 'add', 'reject')`,
      [scheme, modelId],
    );
  }

  private tags(scheme: string, tagIds: readonly number[] | undefined): Promise<TagRow[]> {
    return this.database.query<TagRow>(
      `SELECT tag.id, ${THRESHOLD} AS threshold FROM ${RULES_FROM}
       WHERE tag.scheme = $1 AND tag.archived_at IS NULL AND ($2::int[] IS NULL OR tag.id = ANY ($2)) ORDER BY tag.name, tag.id`,
      [scheme, tagIds ?? null],
    );
  }
}

function isEnough(judged: readonly Judged[]): boolean {
  const accepted = judged.filter((one) => one.isAccepted).length;
  return judged.length >= LEAST_DECISIONS && accepted >= LEAST_OF_EACH && judged.length - accepted >= LEAST_OF_EACH;
}

function qualityOf(
  tagId: number | null,
  judged: readonly Judged[],
  threshold: number,
  calibration: Calibration | undefined,
  isPooled: boolean,
  minPrecision: number | undefined,
): Quality {
  const accepted = judged.filter((one) => one.isAccepted).length;
  return {
    tagId,
    accepted,
    rejected: judged.length - accepted,
    current: outcomeAt(threshold, judged),
    suggested: (isEnough(judged) ? bestThreshold(judged, minPrecision) : undefined) ?? null,
    calibration: calibration ?? null,
    isPooled,
    brierScore: calibration && judged.length > 0 ? brierScore(calibration, judged) : null,
    curve: calibration ? curveOf(calibration, judged) : [],
  };
}

function brierScore(calibration: Calibration, judged: readonly Judged[]): number {
  const squares = judged.map(
    ({ score, isAccepted }) => (probabilityOf(calibration, score) - (isAccepted ? 1 : 0)) ** 2,
  );
  return squares.reduce((sum, value) => sum + value, 0) / judged.length;
}

/** Bins without a pair are left out. */
function curveOf(calibration: Calibration, judged: readonly Judged[]): CurveBin[] {
  const binOf = (probability: number): number => Math.min(BINS - 1, Math.floor(probability * BINS));
  const bins = grouped(
    judged.map((one) => ({ ...one, probability: probabilityOf(calibration, one.score) })),
    (one) => binOf(one.probability),
  );
  return [...bins]
    .sort(([a], [b]) => a - b)
    .map(([bin, pairs]) => ({
      from: bin / BINS,
      to: (bin + 1) / BINS,
      count: pairs.length,
      meanProbability: pairs.reduce((sum, pair) => sum + pair.probability, 0) / pairs.length,
      acceptedShare: pairs.filter((pair) => pair.isAccepted).length / pairs.length,
    }));
}

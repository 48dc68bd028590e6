import { isDeepStrictEqual } from 'node:util';

import type { Transaction } from '../../../kernel/db/database';
import { grouped } from '../grouped';
import { taggableOf, type Taggable } from '../taggable';
import { AssignmentRows } from './assignment-rows';
import { SubjectReader, type Subject } from './subject-reader';
import { findCandidates, nearbyTags, type NearbyTags, type SubjectCandidates } from './tag-candidates';
import { TagVocabulary, type SchemeRules, type TagRules } from './tag-vocabulary';
import { planSubject, type SubjectPlan } from './tagging-plan';
import { SHARED_LOCK, TAGGING_ACTOR, type TaggingParts } from './tagging-parts';

/** What became of the points that were asked for. */
export interface TaggedPoints {
  /** Their subjects have the suggestions that they should have. */
  done: string[];
  /** They have changed meanwhile. */
  busy: string[];
  /** Suggestions that are new. */
  suggested: number;
}

interface Options {
  isBulk: boolean;
  /** Called with the points that are done, once their suggestions are written. */
  acknowledge?(transaction: Transaction, pointIds: readonly string[]): Promise<void>;
}

/** What is to be written for some subjects, and for which of them nothing can be said now. */
interface PlannedBatch {
  settled: Subject[];
  changed: Subject[];
  /** To be compared with deeper candidates. */
  short: Subject[];
  plans: SubjectPlan[];
  isImplying: boolean;
}

/** How much deeper to look each time that candidates do not fill the places, and where to stop. */
const DEEPENING = 4;
const DEEPEST = 1024;

/** Suggests tags for texts: compares them with all tags of their schemes, and writes what differs from the suggestions there are. */
export class TagSubjects {
  constructor(private readonly parts: TaggingParts) {}

  async run(kind: string, pointIds: readonly string[], options: Options): Promise<TaggedPoints> {
    const result: TaggedPoints = { done: [], busy: [], suggested: 0 };
    const taggable = taggableOf(kind);
    const { database } = this.parts;
    const reader = new SubjectReader(database);
    const subjects = taggable ? await reader.ofPoints(taggable, pointIds) : [];
    const known = new Set(subjects.flatMap((subject) => subject.askedFor));
    // What has no vector now gets an event of its own once it has.
    const unknown = pointIds.filter((id) => !known.has(id));
    result.done.push(...unknown);
    if (!taggable || subjects.length === 0) {
      if (options.acknowledge && unknown.length > 0) {
        await database.transaction({ isBulk: options.isBulk }, (tx) => options.acknowledge!(tx, unknown));
      }
      return result;
    }
    const route = this.parts.route();
    const vocabulary = new TagVocabulary(database);
    // Before anything is read that candidates are sought by: what is newer may have to stay.
    const askedAt = await vocabulary.now();
    const schemes = await vocabulary.schemesOf(kind);
    const tags = await nearbyTags(database, { route, taggable, subjects, schemes });
    let open: readonly Subject[] = subjects;
    for (let depth = 1; open.length > 0; depth *= DEEPENING) {
      const found = await findCandidates(this.parts, { route, taggable, subjects: open, schemes, tags }, depth);
      const batch = { taggable, subjects: open, schemes, tags, found, askedAt, isLast: depth >= DEEPEST };
      let written: readonly Subject[] = [];
      open = await database.transaction({ actor: TAGGING_ACTOR, isBulk: options.isBulk }, async (transaction) => {
        const planned = await this.plan(transaction, batch);
        result.busy.push(...pointsOf(planned.changed));
        result.suggested += await this.write(transaction, taggable, planned, route.model.modelId);
        written = planned.settled;
        return planned.short;
      });
      const done = pointsOf(written);
      result.done.push(...done);
      await database.transaction({ isBulk: options.isBulk }, async (transaction) => {
        await this.retagChanged(transaction, taggable, written);
        await options.acknowledge?.(transaction, depth === 1 ? [...done, ...unknown] : done);
      });
    }
    return result;
  }

  private async plan(
    transaction: Transaction,
    {
      taggable,
      subjects,
      schemes,
      tags,
      found,
      askedAt,
      isLast,
    }: {
      taggable: Taggable;
      subjects: readonly Subject[];
      schemes: readonly SchemeRules[];
      tags: NearbyTags | undefined;
      found: readonly SubjectCandidates[][];
      /** By the clock of the server. */
      askedAt: string;
      isLast: boolean;
    },
  ): Promise<PlannedBatch> {
    await transaction.query(SHARED_LOCK, [], 'tagging_lock_shared');
    const rows = new AssignmentRows(transaction, taggable);
    const tagIds = new Set(found.flatMap((entries) => entries.flatMap((e) => e.candidates.map((c) => c.tagId))));
    const changedPoints = await new SubjectReader(transaction).changed(subjects.flatMap((subject) => subject.points));
    const vocabulary = new TagVocabulary(transaction);
    // Other rules than those that candidates were sought by: what is not among them may have to stay.
    if (!isDeepStrictEqual(await vocabulary.schemesOf(taggable.kind.kind), schemes)) {
      return { settled: [], changed: [...subjects], short: [], plans: [], isImplying: false };
    }
    const assigned = await rows.of(subjects.map((subject) => subject.id));
    for (const row of assigned) tagIds.add(row.tagId);
    const rules = await vocabulary.rulesOf([...tagIds], askedAt);
    const existing = grouped(assigned, (row) => row.subjectId);
    const settled: Subject[] = [];
    const changed: Subject[] = [];
    const short: Subject[] = [];
    const thresholds = tags && new Map(tags.list.map((tag) => [tag.id, tag.threshold]));
    const plans = subjects.flatMap((subject, i) => {
      if (subject.points.some((point) => changedPoints.has(point.pointId))) {
        changed.push(subject);
        return [];
      }
      const plan = planSubject(subject.id, found[i] ?? [], existing.get(subject.id) ?? [], rules);
      if (plan.isShort && !isLast) {
        short.push(subject);
        return [];
      }
      // It may have been found since by what it is now.
      if (plan.withdraw.some(({ tagId }) => isEasierNow(rules.get(tagId), schemes, thresholds))) {
        changed.push(subject);
        return [];
      }
      settled.push(subject);
      return [plan];
    });
    const isImplying =
      schemes.some((scheme) => scheme.impliesParents) ||
      [...existing.values()].some((list) => list.some((row) => row.isImplied || row.impliesParents));
    return { settled, changed, short, plans, isImplying };
  }

  /**
   * What changed while its suggestions were written may have been tagged by its new state before those were there to be
   * seen. It is tagged again: whatever changes from here on sees them.
   */
  private async retagChanged(transaction: Transaction, taggable: Taggable, written: readonly Subject[]): Promise<void> {
    const changed = await new SubjectReader(transaction).changed(written.flatMap(({ points }) => points));
    if (changed.size === 0) return;
    const subjects = written.filter(({ points }) => points.some(({ pointId }) => changed.has(pointId)));
    await transaction.query(`SELECT kindred_retag_${taggable.table}($1)`, [subjects.map(({ id }) => id)]);
  }

  /** @returns how many suggestions are new */
  private async write(
    transaction: Transaction,
    taggable: Taggable,
    { settled, plans, isImplying }: PlannedBatch,
    modelId: number,
  ): Promise<number> {
    const rows = new AssignmentRows(transaction, taggable);
    await rows.withdraw(plans.flatMap((plan) => plan.withdraw));
    await rows.rescore(
      plans.flatMap((plan) => plan.rescore),
      modelId,
    );
    const suggested = await rows.suggest(
      plans.flatMap((plan) => plan.suggest),
      modelId,
    );
    if (isImplying) await rows.refreshImplied(settled.map((subject) => subject.id));
    return suggested;
  }
}

/**
 * Whether a tag is found by another vector, another payload or a lower threshold than when candidates were sought.
 * @param thresholds by which tags were asked for texts, if they were
 */
function isEasierNow(
  tag: TagRules | undefined,
  schemes: readonly SchemeRules[],
  thresholds: ReadonlyMap<number, number> | undefined,
): boolean {
  if (!tag) return false;
  if (tag.isNewer) return true;
  const isAsked = thresholds !== undefined && tag.hash !== null && schemes.some(({ name }) => name === tag.scheme);
  return isAsked && tag.threshold < (thresholds.get(tag.id) ?? Infinity);
}

function pointsOf(subjects: readonly Subject[]): string[] {
  return subjects.flatMap((subject) => subject.askedFor);
}

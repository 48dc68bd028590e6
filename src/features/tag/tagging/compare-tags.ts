import type { Transaction } from '../../../kernel/db/database';
import { specOf } from '../../../kernel/embedding/embedding-reader';
import type { Route } from '../../../kernel/vector/route';
import { DENSE, type Hit, type QueryTarget, type VectorQuery } from '../../../kernel/vector/vector-store';
import { taggables, type Taggable } from '../taggable';
import { AssignmentRows } from './assignment-rows';
import { compareStatement } from './compare-statement';
import { SubjectReader, type SubjectPoint } from './subject-reader';
import { IS_ARCHIVED, RULES_FROM, THRESHOLD } from './tag-vocabulary';
import { SOLE_LOCK, TAG_KIND, TAGGING_ACTOR, type TaggingParts } from './tagging-parts';

/** What a comparison of tags with all texts of one kind came to. */
export interface Comparison {
  /** Texts above a tag's threshold, for each tag. */
  candidates: number;
  suggested: number;
  withdrawn: number;
  /** Suggestions of other tags that had to make room. */
  displaced: number;
  /** Texts that have a place free now and are tagged again. */
  queued: number;
}

interface ComparedTag extends SubjectPoint {
  id: number;
  isArchived: boolean;
  kinds: string[];
  threshold: number;
}

/** A tag with what is near it, kind of text by kind of text. */
interface NearTag {
  tag: ComparedTag;
  hits: Map<Taggable, Hit[]>;
}

interface Options {
  isBulk: boolean;
  /** Called with the points that are done, in the transaction that writes the result. */
  acknowledge?(transaction: Transaction, pointIds: readonly string[]): Promise<void>;
  /** Called for each transaction and kind of text. */
  onResult?(result: Comparison): void;
}

/** Hits a request and tag. Real tags are near few texts; a threshold that lets everything through should not fill the memory. */
const PAGE_SIZE = 1000;
/** Qdrant's own limit of how deep a query may go is far above; a tag on more texts than these says nothing. */
const MOST_CANDIDATES = 200_000;

const statements = new Map(taggables.map((taggable) => [taggable, compareStatement(taggable)]));

/** Compares tags with everything they may be on. Only texts above a threshold, and those that carry a tag, are touched. */
export class CompareTags {
  constructor(private readonly parts: TaggingParts) {}

  /**
   * One request to the vector server and one statement for each kind of text, whatever the number of tags; tags that are
   * near more texts than a page of hits holds are written one by one.
   * @param pointIds of tags
   * @returns the points whose tags changed meanwhile: to be done again
   */
  async run(pointIds: readonly string[], options: Options): Promise<Set<string>> {
    const route = this.parts.route();
    const tags = await this.tagsOf(pointIds);
    const near = tags.map((tag): NearTag => ({ tag, hits: new Map() }));
    const broad = new Set<NearTag>();
    for (const taggable of taggables) for (const one of await this.readPage(route, near, taggable)) broad.add(one);
    const known = new Set(tags.map((tag) => tag.pointId));
    // Gone: its assignments went with it. Without a vector now: an event follows once it has one.
    const unknown = pointIds.filter((id) => !known.has(id));
    const changed = await this.write(
      route,
      near.filter((one) => !broad.has(one)),
      unknown,
      options,
    );
    for (const one of broad) {
      for (const taggable of taggables) await this.readOn(route, one, taggable);
      for (const id of await this.write(route, [one], [], options)) changed.add(id);
    }
    return changed;
  }

  private tagsOf(pointIds: readonly string[]): Promise<ComparedTag[]> {
    return this.parts.database.query<ComparedTag>(
      `SELECT tag.id, point.point_id AS "pointId", ${IS_ARCHIVED} AS "isArchived", scheme.kinds,
         ${THRESHOLD} AS threshold, point.indexed_revision AS revision,
         point.indexed_hash AS hash
       FROM unnest($1::uuid[]) AS asked (id)
       JOIN tag_concept_embeddings embedding ON embedding.qdrant_point_id = asked.id AND embedding.chunk_index = 0
       JOIN (${RULES_FROM}) ON tag.id = embedding.tag_concept_id
       JOIN vector_points point ON point.point_id = asked.id AND point.indexed_hash IS NOT NULL`,
      [pointIds],
      'tagging_compared_tags',
    );
  }

  /**
   * The next page of the texts above each tag's threshold, in one request.
   * @returns the tags that have more
   */
  private async readPage(route: Route, near: readonly NearTag[], taggable: Taggable): Promise<NearTag[]> {
    const { kind } = taggable.kind;
    const asked = near.filter(({ tag }) => !tag.isArchived && tag.kinds.includes(kind));
    if (asked.length === 0) return [];
    const queries = asked.map(({ tag, hits }) => queryFor(route, tag, taggable, hits.get(taggable)?.length ?? 0));
    const pages = await this.parts.store.queryBatch(route.collection(kind), queries);
    return asked.filter(({ hits }, i) => {
      const page = pages[i] ?? [];
      const all = hits.get(taggable) ?? [];
      all.push(...page);
      hits.set(taggable, all);
      return page.length === PAGE_SIZE && all.length < MOST_CANDIDATES;
    });
  }

  private async readOn(route: Route, one: NearTag, taggable: Taggable): Promise<void> {
    let hasMore = (one.hits.get(taggable)?.length ?? 0) >= PAGE_SIZE;
    while (hasMore) hasMore = (await this.readPage(route, [one], taggable)).length > 0;
  }

  private async write(
    route: Route,
    near: readonly NearTag[],
    unknown: readonly string[],
    { isBulk, acknowledge, onResult }: Options,
  ): Promise<Set<string>> {
    if (near.length === 0 && unknown.length === 0) return new Set();
    return this.parts.database.transaction({ actor: TAGGING_ACTOR, isBulk }, async (transaction) => {
      let changed = new Set<string>();
      if (near.length > 0) {
        await transaction.query(SOLE_LOCK, [], 'tagging_lock_sole');
        changed = await new SubjectReader(transaction).changed(near.map(({ tag }) => tag));
        const current = near.filter(({ tag }) => !changed.has(tag.pointId));
        if (current.length > 0) {
          for (const taggable of taggables) {
            const result = await this.writeKind(transaction, route, current, taggable);
            onResult?.(result);
          }
        }
      }
      const done = [...near.map(({ tag }) => tag.pointId), ...unknown].filter((id) => !changed.has(id));
      await acknowledge?.(transaction, done);
      return changed;
    });
  }

  private async writeKind(
    transaction: Transaction,
    route: Route,
    near: readonly NearTag[],
    taggable: Taggable,
  ): Promise<Comparison> {
    const { kind } = taggable;
    const found = near.flatMap(({ tag, hits }) => (hits.get(taggable) ?? []).map((hit) => ({ tag, hit })));
    // Not prepared: a plan that was kept from an empty table would read all of it for each text once it is full.
    const [row] = await transaction.query<Comparison & { touched: number[] }>(statements.get(taggable) as string, [
      near.map(({ tag }) => tag.id),
      found.map(({ tag }) => tag.id),
      found.map(({ hit }) => hit.id),
      found.map(({ hit }) => hit.score),
      found.map(({ hit }) => String(hit.payload.content_hash)),
      route.model.modelId,
      kind.kind,
      specOf(kind).defaultTypes,
    ]);
    const { touched = [], ...result } = row ?? { candidates: 0, suggested: 0, withdrawn: 0, displaced: 0, queued: 0 };
    if (await this.isImplying(transaction, taggable)) {
      const tagIds = near.map(({ tag }) => tag.id);
      const subjects = await this.below(transaction, tagIds, taggable, touched);
      await new AssignmentRows(transaction, taggable).refreshImplied(subjects);
    }
    return result;
  }

  /** Whether anything is implied, or may be: a tag of any scheme can stand between those of one that implies. */
  private async isImplying(transaction: Transaction, { table }: Taggable): Promise<boolean> {
    const rows = await transaction.query(
      `SELECT 1 WHERE EXISTS (SELECT 1 FROM tag_schemes WHERE implies_parents)
         OR EXISTS (SELECT 1 FROM ${table} WHERE is_implied)`,
      [],
      `tagging_is_implying_${table}`,
    );
    return rows.length > 0;
  }

  /** Whose implied tags may have changed: what was touched, and, where a tag moved, what carries it or one below it. */
  private async below(
    transaction: Transaction,
    tagIds: readonly number[],
    { table, subjectColumn }: Taggable,
    touched: readonly number[],
  ): Promise<number[]> {
    const rows = await transaction.query<{ id: number }>(
      `WITH RECURSIVE subtree AS (
         SELECT id FROM unnest($1::int[]) AS asked (id)
         UNION
         SELECT child.id FROM tag_concepts child JOIN subtree ON child.parent_id = subtree.id
       )
       SELECT a.${subjectColumn} AS id FROM subtree JOIN ${table} a ON a.tag_concept_id = subtree.id
       UNION SELECT id FROM unnest($2::int[]) AS touched (id)`,
      [tagIds, touched],
      `tagging_below_${table}`,
    );
    return rows.map((row) => row.id);
  }
}

function queryFor(route: Route, tag: ComparedTag, { kind }: Taggable, offset: number): VectorQuery {
  const target: QueryTarget = {
    using: DENSE,
    positive: [tag.pointId],
    strategy: 'best_score',
    lookupFrom: route.collection(TAG_KIND),
  };
  return {
    targets: [{ target, weight: 1, limit: PAGE_SIZE }],
    filter: { must: [{ key: 'embedding_type', match: { any: [...specOf(kind).defaultTypes] } }] },
    limit: PAGE_SIZE,
    offset,
    scoreThreshold: tag.threshold,
    payloadKeys: ['content_hash'],
  };
}

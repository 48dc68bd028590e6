import type { Collection } from '../engine/collection';
import { parsePointId, writePointId } from '../point-id';
import { badInput, notFound, QdrantError } from '../qdrant-error';
import { Candidates, slotsOf } from '../query/candidates';
import { runGroups } from '../query/groups';
import { orderedByField } from '../query/order-values';
import { QueryRunner } from '../query/run-query';
import type { Hit } from '../query/hit';
import * as querySchema from '../schema/query.schema';
import { countRequest, retrieveRequest, scrollRequest } from '../schema/read.schema';
import { readBody, type Call, type Handler } from './request';
import { writeHits, writeRecord, writeRecords } from './write-point';

export const targetOf = (call: Call): Collection => call.engine.find(call.path['collection'] ?? '');

export const queryRunner = (call: Call, collection: Collection): QueryRunner =>
  new QueryRunner(collection, (name) => call.engine.find(name));

export const retrieve: Handler = (call) => {
  const collection = targetOf(call);
  const request = readBody(call, retrieveRequest);
  const slots = new Set(request.ids.map((id) => collection.slotOf(id)).filter((slot) => slot !== undefined));
  return writeRecords(collection, [...slots], { payload: request.with_payload, vectors: request.with_vector });
};

export const retrieveOne: Handler = (call) => {
  const collection = targetOf(call);
  const text = call.path['id'] ?? '';
  const id =
    parsePointId(/^\d{1,15}$/.test(text) ? Number(text) : /^\d+$/.test(text) ? undefined : text) ?? bigId(text);
  if (id === undefined) throw new QdrantError(400, `Wrong input: Can not recognize "${text}" as point id`);
  const slot = collection.slotOf(id);
  if (slot === undefined) throw notFound(`Point with id ${text} does not exists!`);
  return writeRecord(collection, slot, { payload: true, vectors: true });
};

function bigId(text: string): bigint | number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = BigInt(text);
  if (value > 2n ** 64n - 1n) return undefined;
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

export const scroll: Handler = (call) => {
  const collection = targetOf(call);
  const request = readBody(call, scrollRequest);
  const output = { payload: request.with_payload, vectors: request.with_vector };
  const candidates = Candidates.matching(collection, request.filter);
  if (request.order_by !== undefined) {
    if (request.offset !== undefined)
      throw badInput(
        "Cannot use an `offset` when using `order_by`. The alternative for paging is to use `order_by.start_from` and a filter to exclude the IDs that you've already seen for the `order_by.start_from` value",
      );
    const hits = orderedByField(collection, candidates, request.order_by).slice(0, request.limit);
    const records = hits.map(({ slot, orderValue }) => writeRecord(collection, slot, output, orderValue));
    return `{"points":[${records.join(',')}],"next_page_offset":null}`;
  }
  const ordered = collection.order.slots();
  const slots: number[] = [];
  let next = request.offset === undefined ? 0 : collection.order.firstFrom(request.offset);
  for (; next < ordered.length && slots.length <= request.limit; next += 1) {
    const slot = ordered[next] as number;
    if (candidates.has(slot)) slots.push(slot);
  }
  const beyond = slots.length > request.limit ? slots.pop() : undefined;
  const offset = beyond === undefined ? 'null' : writePointId(collection.idAt(beyond));
  return `{"points":${writeRecords(collection, slots, output)},"next_page_offset":${offset}}`;
};

export const count: Handler = (call) => {
  const collection = targetOf(call);
  const { filter } = readBody(call, countRequest);
  const found =
    filter === undefined ? collection.pointCount : slotsOf(Candidates.matching(collection, filter).among()).length;
  return `{"count":${found}}`;
};

export const query: Handler = (call) => {
  const collection = targetOf(call);
  const request = readBody(call, querySchema.queryRequest);
  const hits = queryRunner(call, collection).run(request.stage, offsetOf(request));
  return writePage(collection, hits, request);
};

export const queryBatch: Handler = (call) => {
  const collection = targetOf(call);
  const requests = readBody(call, querySchema.queryBatch);
  const lists = queryRunner(call, collection).runAll(
    requests.map((request) => ({ stage: request.stage, offset: offsetOf(request) })),
  );
  return `[${lists.map((hits, at) => writePage(collection, hits, requests[at] as querySchema.QueryRequest)).join(',')}]`;
};

/** A random sample has no pages. */
function offsetOf({ stage, offset }: querySchema.QueryRequest): number {
  return stage.query?.kind === 'sample' && stage.prefetch.length === 0 ? 0 : offset;
}

function writePage(collection: Collection, hits: readonly Hit[], request: querySchema.QueryRequest): string {
  return `{"points":${writeHits(collection, hits.slice(offsetOf(request)), request)}}`;
}

export const queryGroups: Handler = (call) => groupsAnswer(call, readBody(call, querySchema.queryGroups));

/** JSON text of a groups request's answer, with the records that the groups name when they are asked for. */
export function groupsAnswer(call: Call, request: querySchema.GroupsRequest): string {
  const collection = targetOf(call);
  const { stage, groupBy, groupSize, lookup } = request;
  const source = lookup && call.engine.find(lookup.collection);
  const groups = runGroups(collection, queryRunner(call, collection), stage, groupBy, groupSize);
  const texts = groups.map(({ id, hits }) => {
    let extra = '';
    if (source !== undefined && lookup !== undefined) {
      const found = parsePointId(id);
      const slot = found === undefined ? undefined : source.slotOf(found);
      if (slot !== undefined) extra = `,"lookup":${writeRecord(source, slot, lookup)}`;
    }
    return `{"id":${JSON.stringify(id)},"hits":${writeHits(collection, hits, request)}${extra}}`;
  });
  return `{"groups":[${texts.join(',')}]}`;
}

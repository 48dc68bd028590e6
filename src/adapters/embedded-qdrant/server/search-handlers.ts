import type { Decoder } from '../schema/decode';
import type { GroupsRequest, QueryRequest } from '../schema/query.schema';
import * as schema from '../schema/search.schema';
import { groupsAnswer, queryRunner, targetOf } from './read-handlers';
import { readBody, type Handler } from './request';
import { writeHits } from './write-point';

// What the query call replaced: the same requests, answered with bare lists.

function one(decoder: Decoder<QueryRequest>): Handler {
  return (call) => {
    const collection = targetOf(call);
    const request = readBody(call, decoder);
    const hits = queryRunner(call, collection).run(request.stage, request.offset);
    return writeHits(collection, hits.slice(request.offset), request);
  };
}

function many(decoder: Decoder<QueryRequest[]>): Handler {
  return (call) => {
    const collection = targetOf(call);
    const requests = readBody(call, decoder);
    const lists = queryRunner(call, collection).runAll(requests);
    const texts = requests.map((request, at) =>
      writeHits(collection, (lists[at] ?? []).slice(request.offset), request),
    );
    return `[${texts.join(',')}]`;
  };
}

const grouped =
  (decoder: Decoder<GroupsRequest>): Handler =>
  (call) =>
    groupsAnswer(call, readBody(call, decoder));

export const search = one(schema.searchRequest);
export const searchBatch = many(schema.searchBatch);
export const searchGroups = grouped(schema.searchGroups);
export const recommend = one(schema.recommendRequest);
export const recommendBatch = many(schema.recommendBatch);
export const recommendGroups = grouped(schema.recommendGroups);
export const discover = one(schema.discoverRequest);
export const discoverBatch = many(schema.discoverBatch);

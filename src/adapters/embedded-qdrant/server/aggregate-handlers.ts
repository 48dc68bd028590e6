import { shortestDouble } from '../json/write-json';
import { writePointId } from '../point-id';
import { Candidates } from '../query/candidates';
import { distanceMatrix } from '../query/distance-matrix';
import { facet } from '../query/facet';
import { facetRequest, matrixRequest } from '../schema/read.schema';
import { targetOf } from './read-handlers';
import { readBody, type Handler } from './request';

export const countFacets: Handler = (call) => {
  const collection = targetOf(call);
  const { key, limit, filter } = readBody(call, facetRequest);
  return JSON.stringify({ hits: facet(collection, Candidates.matching(collection, filter), key, limit) });
};

export const matrixPairs: Handler = (call) => {
  const collection = targetOf(call);
  const rows = distanceMatrix(collection, readBody(call, matrixRequest));
  const pairs = rows.flatMap(({ slot, nearest }) => {
    const a = writePointId(collection.idAt(slot));
    return nearest.map((hit) => {
      return `{"a":${a},"b":${writePointId(collection.idAt(hit.slot))},"score":${shortestDouble(hit.score)}}`;
    });
  });
  return `{"pairs":[${pairs.join(',')}]}`;
};

export const matrixOffsets: Handler = (call) => {
  const collection = targetOf(call);
  const rows = distanceMatrix(collection, readBody(call, matrixRequest));
  const offsetOf = new Map(rows.map(({ slot }, offset) => [slot, offset]));
  const cells = rows.flatMap(({ nearest }, row) => {
    return nearest.map(({ slot, score }) => ({
      row,
      column: offsetOf.get(slot) as number,
      score: shortestDouble(score),
    }));
  });
  const column = (pick: (cell: { row: number; column: number; score: number }) => number): string =>
    cells.map(pick).join(',');
  const ids = rows.map(({ slot }) => writePointId(collection.idAt(slot))).join(',');
  return (
    `{"offsets_row":[${column((cell) => cell.row)}],"offsets_col":[${column((cell) => cell.column)}],` +
    `"scores":[${column((cell) => cell.score)}],"ids":[${ids}]}`
  );
};

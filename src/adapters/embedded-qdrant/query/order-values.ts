import type { Collection } from '../engine/collection';
import { parseDatetime } from '../filter/datetime';
import { numberOf, type Json } from '../json/json-value';
import { valuesAt } from '../payload/json-path';
import { badInput } from '../qdrant-error';
import type { OrderBy } from '../schema/order-by.schema';
import type { Candidates } from './candidates';
import type { Hit } from './hit';
import { comparePointIds } from '../point-id';

/** Candidates by the values of a payload field; a point with several values appears once for each. */
export function orderedByField(collection: Collection, candidates: Candidates, orderBy: OrderBy): Hit[] {
  const { path, isDescending, startFrom } = orderBy;
  const read = valueReader(collection, path.text);
  const hits: Hit[] = [];
  for (const slot of candidates.slots()) {
    const payload = collection.payloads[slot];
    if (payload === undefined) continue;
    for (const value of valuesAt(path, payload).flatMap((item) => (Array.isArray(item) ? item : [item]))) {
      const orderValue = read(value);
      if (orderValue === undefined) continue;
      if (startFrom !== undefined && (isDescending ? orderValue > startFrom : orderValue < startFrom)) continue;
      hits.push({ slot, score: 1, orderValue });
    }
  }
  const sign = isDescending ? -1 : 1;
  return hits.sort((a, b) => {
    const byValue = (a.orderValue as number) - (b.orderValue as number);
    return sign * (byValue || comparePointIds(collection.idAt(a.slot), collection.idAt(b.slot)));
  });
}

function valueReader(collection: Collection, path: string): (value: Json) => number | undefined {
  const index = collection.indexes.get(path);
  switch (index?.type) {
    case 'integer':
      if (!index.hasRange) break;
      return (value) => {
        const number = numberOf(value);
        return number !== undefined && Number.isInteger(number) ? number : undefined;
      };
    case 'float':
      return numberOf;
    case 'datetime':
      return (value) => (typeof value === 'string' ? parseDatetime(value) : undefined);
    default:
  }
  throw badInput(
    `No range index for \`order_by\` key: \`${path}\`. Please create one to use \`order_by\`. Check https://qdrant.tech/documentation/concepts/indexing/#payload-index to see which payload schemas support Range conditions`,
  );
}

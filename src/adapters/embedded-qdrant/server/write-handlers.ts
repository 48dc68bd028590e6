import type { Collection } from '../engine/collection';
import { write } from '../engine/write-points';
import type { Decoder } from '../schema/decode';
import * as schema from '../schema/write.schema';
import { readBody, type Call, type Handler } from './request';

/** The answer to a write, given once it is durable if the client waits. */
export async function acknowledge(call: Call, _collection: Collection, operation: number): Promise<string> {
  if (call.query.waits) {
    await call.engine.store.durable();
    return `{"operation_id":${operation},"status":"completed"}`;
  }
  return `{"operation_id":${operation},"status":"acknowledged"}`;
}

function writer(decoder: Decoder<schema.WriteOperation>): Handler {
  return async (call) => {
    const collection = call.engine.find(call.path['collection'] ?? '');
    const operation = readBody(call, decoder);
    return acknowledge(call, collection, await carryOut(call, collection, operation));
  };
}

/** A refusal may follow writes that stay, see `write`: they are made durable before it is answered. */
async function carryOut(call: Call, collection: Collection, operation: schema.WriteOperation): Promise<number> {
  try {
    return call.engine.writing(() => write(collection, operation));
  } catch (error) {
    if (call.query.waits) await call.engine.store.durable();
    throw error;
  }
}

export const upsert = writer(schema.upsertOperation);
export const deletePoints = writer(schema.deleteOperation);
export const updateVectors = writer(schema.updateVectorsOperation);
export const deleteVectors = writer(schema.deleteVectorsOperation);
export const setPayload = writer(schema.setPayloadOperation);
export const overwritePayload = writer(schema.overwritePayloadOperation);
export const deletePayload = writer(schema.deletePayloadOperation);
export const clearPayload = writer(schema.clearPayloadOperation);

/** Operations in order; the first refusal ends the batch, what came before it stays. */
export const batch: Handler = async (call) => {
  const collection = call.engine.find(call.path['collection'] ?? '');
  const operations = readBody(call, schema.batchOperations);
  const numbers: number[] = [];
  for (const operation of operations) numbers.push(await carryOut(call, collection, operation));
  const answers = await Promise.all(numbers.map((number) => acknowledge(call, collection, number)));
  return `[${answers.join(',')}]`;
};

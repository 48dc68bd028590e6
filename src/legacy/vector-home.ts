import { DomainError } from '../kernel/errors/domain-error';
import type { ModelDescriptor } from '../kernel/model/embedder';
import { writeVectorHome } from '../kernel/vector/vector-home';
import { DENSE, type VectorLayout, type VectorStore } from '../kernel/vector/vector-store';

/** A collection of the old program, and which of its vectors is to be taken over. */
export interface ChosenHome {
  home: string;
  layout: VectorLayout;
}

function only(layouts: readonly VectorLayout[], wanted: string | undefined): VectorLayout | undefined {
  if (wanted !== undefined) return layouts.find(({ name }) => name === wanted);
  if (layouts.length === 1) return layouts[0];
  return layouts.find(({ name }) => name === DENSE);
}

/**
 * Finds the vectors to take over.
 * @throws NOT_FOUND no such collection or vector; COLLECTION_MISMATCH vectors of another length than the model's
 */
export async function chooseHome(
  store: VectorStore,
  model: ModelDescriptor,
  collection: string,
  vector: string | undefined,
): Promise<ChosenHome> {
  const layouts = await store.describeVectors(collection);
  if (!layouts) {
    throw new DomainError('NOT_FOUND', `--collection: there is no collection ${collection} in Qdrant.`);
  }
  const layout = only(layouts, vector);
  if (!layout) {
    const names =
      layouts.map(({ name }) => (name === '' ? 'one without a name' : name)).join(', ') || 'none that is dense';
    throw new DomainError(
      'NOT_FOUND',
      `--vector: say which vector of ${collection} is to be taken over; it has ${names}.`,
    );
  }
  if (layout.dimensions !== model.dimensions) {
    throw new DomainError(
      'COLLECTION_MISMATCH',
      `The vectors in ${collection} have ${layout.dimensions} dimensions, those of ${model.name} ${model.dimensions}: they ` +
        `cannot be compared. Configure the model that made them, or embed the records anew with --reembed.`,
      { details: { collection, dimensions: layout.dimensions, expected: model.dimensions } },
    );
  }
  return { home: writeVectorHome({ collection, vector: layout.name }), layout };
}

const PAGE_SIZE = 1000;

/** Which of these points a collection does not have. */
export async function absentPoints(store: VectorStore, collection: string, ids: readonly string[]): Promise<string[]> {
  const absent: string[] = [];
  for (let at = 0; at < ids.length; at += PAGE_SIZE) {
    const page = ids.slice(at, at + PAGE_SIZE);
    const found = await store.retrieve(collection, page, { payload: false, vectors: [] });
    const present = new Set(found.map(({ id }) => id));
    absent.push(...page.filter((id) => !present.has(id)));
  }
  return absent;
}

import { createHash } from 'node:crypto';

import type { ExistingRow } from './diff';
import type { RenderedChunk } from './rendering';

/** What a diff has to deal with, once the rows are set apart whose vectors were made elsewhere. */
export interface Unheld {
  rows: ExistingRow[];
  chunks: RenderedChunk[];
  /** Rows whose vectors stay, with what the record's text of their type is now. */
  firstSeen: { pointId: string; textHash: string }[];
  /** Rows whose record has another text by now: their vectors are no longer its. */
  outdated: string[];
}

/**
 * Sets apart the embedding types of one record whose vectors were taken over from elsewhere. Nobody knows which text
 * those are of, so a difference to the rendered text says nothing; a *change* of the rendered text does. Until then such
 * a type is left as it is, its number of chunks included. After it, it is like any other.
 */
export function setAdoptedApart(rows: readonly ExistingRow[], chunks: readonly RenderedChunk[]): Unheld {
  const unheld: Unheld = { rows: [...rows], chunks: [...chunks], firstSeen: [], outdated: [] };
  const types = new Set(rows.filter((row) => row.isAdopted).map((row) => row.embeddingType));
  for (const type of types) {
    const adopted = rows.filter((row) => row.isAdopted && row.embeddingType === type);
    const textHash = hashOf(chunks.filter((chunk) => chunk.embeddingType === type));
    const isOutdated = adopted.some((row) => row.adoptedHash !== null && row.adoptedHash !== textHash);
    if (isOutdated) {
      unheld.outdated.push(...adopted.map((row) => row.pointId));
      continue;
    }
    unheld.rows = unheld.rows.filter((row) => row.embeddingType !== type);
    unheld.chunks = unheld.chunks.filter((chunk) => chunk.embeddingType !== type);
    const isNew = adopted.filter((row) => row.adoptedHash === null);
    unheld.firstSeen.push(...isNew.map(({ pointId }) => ({ pointId, textHash })));
  }
  return unheld;
}

function hashOf(chunks: readonly RenderedChunk[]): string {
  const digest = createHash('sha256');
  for (const chunk of chunks) digest.update(chunk.contentHash);
  return digest.digest('hex');
}

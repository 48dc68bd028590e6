import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { diffRows, type ExistingRow } from '../../src/kernel/embedding/diff';
import type { RenderedChunk } from '../../src/kernel/embedding/rendering';

function chunks(texts: readonly string[], embeddingType = 'chunk'): RenderedChunk[] {
  return texts.map((text, chunkIndex) => ({
    embeddingType,
    chunkIndex,
    text,
    contextLine: null,
    startOffset: chunkIndex,
    endOffset: chunkIndex,
    contentHash: text,
  }));
}

function rows(texts: readonly string[], embeddingType = 'chunk', firstId = 1): ExistingRow[] {
  return chunks(texts, embeddingType).map((chunk, i) => ({ id: firstId + i, ...chunk }));
}

/** The texts by row id after the changes; new rows have no id. */
function applied(existing: readonly ExistingRow[], wanted: readonly RenderedChunk[]): [number | undefined, string][] {
  const changes = diffRows(existing, wanted);
  const kept = new Map(existing.map((row) => [row.id, { index: row.chunkIndex, text: row.contentHash }]));
  for (const id of changes.deleted) expect(kept.delete(id)).toBe(true);
  for (const { id, chunk } of changes.updated) {
    expect(kept.has(id)).toBe(true);
    kept.set(id, { index: chunk.chunkIndex, text: chunk.text });
  }
  const all: { id: number | undefined; index: number; text: string }[] = [
    ...[...kept].map(([id, row]) => ({ id, ...row })),
    ...changes.inserted.map((chunk) => ({ id: undefined, index: chunk.chunkIndex, text: chunk.text })),
  ];
  return all.sort((a, b) => a.index - b.index).map(({ id, text }) => [id, text]);
}

describe('the difference between rows and chunks', () => {
  it('is nothing for equal ones', () => {
    expect(diffRows(rows(['a', 'b']), chunks(['a', 'b']))).toEqual({ inserted: [], updated: [], deleted: [] });
  });

  it('keeps the row of a text that moved', () => {
    expect(applied(rows(['a', 'b', 'c']), chunks(['c', 'a', 'b']))).toEqual([
      [3, 'c'],
      [1, 'a'],
      [2, 'b'],
    ]);
  });

  it('keeps the row of a text edited in place, also when another came before it', () => {
    expect(applied(rows(['a', 'b', 'c']), chunks(['new', 'a', 'b!', 'c']))).toEqual([
      [undefined, 'new'],
      [1, 'a'],
      [2, 'b!'],
      [3, 'c'],
    ]);
  });

  it('gives a row to no text elsewhere', () => {
    expect(applied(rows(['a', 'b', 'c']), chunks(['a', 'c', 'new']))).toEqual([
      [1, 'a'],
      [3, 'c'],
      [undefined, 'new'],
    ]);
  });

  it('tells equal texts apart by their place', () => {
    expect(diffRows(rows(['a', 'a', 'b']), chunks(['a', 'a', 'b'])).updated).toEqual([]);
    expect(diffRows(rows(['a', 'a', 'b']), chunks(['a', 'b'])).deleted).toHaveLength(1);
  });

  it('keeps the types of one record apart', () => {
    const existing = [...rows(['a'], 'summary', 1), ...rows(['a'], 'skills', 2)];
    const changes = diffRows(existing, chunks(['a'], 'skills'));
    expect(changes).toEqual({ inserted: [], updated: [], deleted: [1] });
  });

  it('always ends with exactly the wanted texts, and embeds none that was there', () => {
    const texts = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 8 });
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        expect(applied(rows(before), chunks(after)).map(([, text]) => text)).toEqual(after);
        const { inserted, updated } = diffRows(rows(before), chunks(after));
        const textOf = new Map(rows(before).map((row) => [row.id, row.contentHash]));
        const embedded = [
          ...inserted,
          ...updated.filter(({ id, chunk }) => textOf.get(id) !== chunk.text).map(({ chunk }) => chunk),
        ];
        const count = (list: readonly string[], text: string) => list.filter((one) => one === text).length;
        const needed = [...new Set(after)].reduce(
          (sum, text) => sum + Math.max(0, count(after, text) - count(before, text)),
          0,
        );
        expect(embedded).toHaveLength(needed);
      }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { RowDiff, type ExistingRow, type RowChanges } from '../../src/kernel/embedding/diff';
import type { RenderedChunk } from '../../src/kernel/embedding/rendering';

function chunks(texts: readonly string[], embeddingType = 'chunk'): RenderedChunk[] {
  return texts.map((text, chunkIndex) => ({
    embeddingType,
    chunkIndex,
    text,
    contextLine: null,
    startOffset: chunkIndex,
    endOffset: chunkIndex,
    tokenCount: 1,
    headingPath: [],
    contentHash: text,
  }));
}

function rows(texts: readonly string[], embeddingType = 'chunk', firstId = 1): ExistingRow[] {
  return chunks(texts, embeddingType).map((chunk, i) => ({
    id: firstId + i,
    pointId: String(firstId + i),
    isAdopted: false,
    adoptedHash: null,
    ...chunk,
  }));
}

const diffRows = (existing: readonly ExistingRow[], wanted: readonly RenderedChunk[]): RowChanges =>
  new RowDiff(existing, wanted).changes();

/** The texts by row id after the changes; new rows have no id. */
function applied(existing: readonly ExistingRow[], wanted: readonly RenderedChunk[]): [number | undefined, string][] {
  const changes = diffRows(existing, wanted);
  const kept = new Map(existing.map((row) => [row.id, { index: row.chunkIndex, text: row.contentHash }]));
  for (const id of changes.deleted) expect(kept.delete(id)).toBe(true);
  for (const { id, chunk } of [...changes.rewritten, ...changes.moved]) {
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
    expect(diffRows(rows(['a', 'b']), chunks(['a', 'b']))).toEqual({
      inserted: [],
      rewritten: [],
      moved: [],
      deleted: [],
    });
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
    expect(diffRows(rows(['a', 'a', 'b']), chunks(['a', 'a', 'b'])).moved).toEqual([]);
    expect(diffRows(rows(['a', 'a', 'b']), chunks(['a', 'b'])).deleted).toHaveLength(1);
  });

  it('pairs equal texts by their neighbours', () => {
    const before = rows(['scene 1', '* * *', 'scene 2', '* * *', 'scene 3', '* * *', 'scene 4']);
    expect(applied(before, chunks(['scene 1', 'scene 2', '* * *', 'scene 3', '* * *', 'scene 4']))).toEqual([
      [1, 'scene 1'],
      [3, 'scene 2'],
      [4, '* * *'],
      [5, 'scene 3'],
      [6, '* * *'],
      [7, 'scene 4'],
    ]);
    expect(applied(before, chunks(['scene 3', '* * *', 'scene 4', 'scene 1', '* * *', 'scene 2']))).toEqual([
      [5, 'scene 3'],
      [6, '* * *'],
      [7, 'scene 4'],
      [1, 'scene 1'],
      [2, '* * *'],
      [3, 'scene 2'],
    ]);
  });

  it('keeps the types of one record apart', () => {
    const existing = [...rows(['a'], 'summary', 1), ...rows(['a'], 'skills', 2)];
    const changes = diffRows(existing, chunks(['a'], 'skills'));
    expect(changes).toEqual({ inserted: [], rewritten: [], moved: [], deleted: [1] });
  });

  it('tells an edited text by its likeness where old texts are given', () => {
    const existing = rows(['the fox ran off', 'a hen sat still', 'end']);
    const texts = new Map(existing.map((row) => [row.id, row.contentHash]));
    const edit = (wanted: string[]) => {
      const { rewritten, inserted, deleted } = new RowDiff(existing, chunks(wanted)).changes(texts);
      return {
        kept: rewritten.map(({ id, chunk }) => [id, chunk.text]),
        new: inserted.map(({ text }) => text),
        deleted,
      };
    };
    expect(edit(['a hen sat up', 'end'])).toEqual({ kept: [[2, 'a hen sat up']], new: [], deleted: [1] });
    expect(edit(['the fox ran away', 'new words here', 'a hen stood still', 'end'])).toEqual({
      kept: [
        [1, 'the fox ran away'],
        [2, 'a hen stood still'],
      ],
      new: ['new words here'],
      deleted: [],
    });
    expect(edit(['nothing alike', 'end'])).toEqual({ kept: [], new: ['nothing alike'], deleted: [1, 2] });
  });

  it('always ends with exactly the wanted texts, and embeds none that was there', () => {
    const texts = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 8 });
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        expect(applied(rows(before), chunks(after)).map(([, text]) => text)).toEqual(after);
        const { inserted, rewritten } = diffRows(rows(before), chunks(after));
        const embedded = [...inserted, ...rewritten];
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

import { describe, expect, it } from '@jest/globals';
import { redact, retryAfter } from '../../src/adapters/openai/provider-fault';
import { batchRanges } from '../../src/adapters/openai/request-batches';

describe('retryAfter', () => {
  const now = Date.parse('2030-01-01T00:00:00Z');
  it.each([
    [{}, undefined],
    [{ 'retry-after': '2' }, 2000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': 'Tue, 01 Jan 2030 00:00:07 GMT' }, 7000],
    [{ 'retry-after': 'Tue, 01 Jan 2020 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after-ms': '120', 'retry-after': '2' }, 120],
    [{ 'retry-after-ms': 'x', 'retry-after': '2' }, 2000],
  ])('reads %p as %p', (headers, milliseconds) => {
    expect(retryAfter(new Headers(headers as Record<string, string>), now)).toBe(milliseconds);
  });
});

describe('redact', () => {
  it('removes the key, masked keys of the provider and bearer tokens', () => {
    expect(redact('wrong key abc-123!', ['abc-123'])).toBe('wrong key ***!');
    expect(redact('Incorrect API key provided: sk-pr**************cdef.', [])).not.toContain('cdef');
    expect(redact('sent Bearer abc.def.ghi to it', [''])).toBe('sent Bearer *** to it');
  });
});

describe('batchRanges', () => {
  it('fills requests up to either limit and gives an oversized text one of its own', () => {
    const limits = { maxInputs: 3, maxRequestTokens: 10 };
    expect(batchRanges([], limits)).toEqual([]);
    expect(batchRanges(['a', 'b', 'c', 'd'], limits)).toEqual([
      { from: 0, to: 3 },
      { from: 3, to: 4 },
    ]);
    expect(batchRanges(['x'.repeat(27), 'y', 'zzzz', 'w'.repeat(300), 'v'], limits)).toEqual([
      { from: 0, to: 2 },
      { from: 2, to: 3 },
      { from: 3, to: 4 },
      { from: 4, to: 5 },
    ]);
  });

  it('counts bytes, so that other scripts fit as well', () => {
    expect(batchRanges(['北京市', '北京市'], { maxInputs: 9, maxRequestTokens: 3 })).toHaveLength(2);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { ExactNumber, type Json, type JsonObject } from '../../../src/adapters/embedded-qdrant/json/json-value';
import { parseJson } from '../../../src/adapters/embedded-qdrant/json/parse-json';
import { shortestDouble, writeJson } from '../../../src/adapters/embedded-qdrant/json/write-json';
import { property } from './support/engine';

describe('JSON', () => {
  it.each([
    '3.0',
    '-3.00',
    '1e5',
    '2.5E+1',
    '18446744073709551615',
    '-9007199254740993',
    '{"a":[1.0,{"b":12345678901234567890}],"c":"1.0, 2.0"}',
  ])('%s comes back as it was written', (text) => {
    expect(writeJson(parseJson(text))).toBe(text);
  });

  it('leaves ordinary numbers ordinary', () => {
    expect(parseJson('[1, 0.1, -5e-7, 1234567890123456, 0.12345678901234567]')).toEqual([
      1, 0.1, -5e-7, 1234567890123456, 0.12345678901234567,
    ]);
  });

  it('reads what JSON.parse reads, on the exact path too', () =>
    property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      const [read, mark] = parseJson(`[${text}, 1.0]`) as unknown[];
      // Numbers such as 1e+21 stay as they were written.
      expect(JSON.parse(writeJson(read as Json))).toEqual(JSON.parse(text));
      expect(mark).toEqual(new ExactNumber('1.0'));
    }));

  it.each(['', '{', '[1,]', '{"a" 1}', '[1.0', '"\u0001"', '[01.0]', '1.0 x', '{"a":1.0,}', 'nul', '[1.0, "a]'])(
    'refuses %j',
    (text) => {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    },
  );

  it('keeps a key named __proto__ a key, and the prototype alone', () => {
    const value = parseJson('{"__proto__": {"x": 1.0}}') as JsonObject;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(writeJson(value)).toBe('{"__proto__":{"x":1.0}}');
  });

  it('does not exhaust the stack on deep nesting', () => {
    expect(() => parseJson(`${'['.repeat(100_000)}1.0`)).toThrow(SyntaxError);
  });
});

describe('the shortest double of a float', () => {
  it.each([0.1, 0.48582348, 1e-20, -0.33333334, 123456.79, 0.000012345678])('of %d is itself', (double) => {
    expect(shortestDouble(Math.fround(double))).toBe(double);
  });

  it('is the same float, written in at most nine digits or as an integer', () =>
    property(fc.float({ noNaN: true, noDefaultInfinity: true }), (float) => {
      const double = shortestDouble(float);
      expect(Math.fround(double)).toBe(float);
      expect(Number.isInteger(float) || double === Number(double.toPrecision(9))).toBe(true);
    }));
});

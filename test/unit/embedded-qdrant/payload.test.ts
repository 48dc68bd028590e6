import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/adapters/embedded-qdrant/json/json-value';
import {
  mergePayload,
  mergePayloadAt,
  removeFromPayload,
} from '../../../src/adapters/embedded-qdrant/payload/change-payload';
import { parsePath, valuesAt, type JsonPath } from '../../../src/adapters/embedded-qdrant/payload/json-path';
import { selectPayload } from '../../../src/adapters/embedded-qdrant/payload/select-payload';

const path = (text: string): JsonPath => {
  const parsed = parsePath(text);
  if (parsed === undefined) throw new Error(`no path: ${text}`);
  return parsed;
};

const sample: JsonObject = {
  a: { b: [{ c: 1 }, { c: 2 }, { d: { e: 3 } }], n: null },
  list: ['x', ['y', 'z']],
  'odd key': { 'x.y': 5 },
  plain: 7,
};

describe('payload paths', () => {
  it.each<[string, unknown[]]>([
    ['plain', [7]],
    ['a.n', [null]],
    ['a.b', [[{ c: 1 }, { c: 2 }, { d: { e: 3 } }]]],
    ['a.b.c', []],
    ['a.b[].c', [1, 2]],
    ['a.b[1].c', [2]],
    ['a.b[9].c', []],
    ['a.b[].d.e', [3]],
    ['list[]', ['x', ['y', 'z']]],
    ['list[1][0]', ['y']],
    ['"odd key"."x.y"', [5]],
    ['absent', []],
    ['plain.deeper', []],
  ])('%s leads to %j', (text, expected) => {
    expect(valuesAt(path(text), sample)).toEqual(expected);
  });

  it.each(['', '.a', 'a.', 'a..b', '[0]', 'a[', 'a[x]', 'a b', 'a[-1]', '"unclosed'])('%j is none', (text) => {
    expect(parsePath(text)).toBeUndefined();
  });
});

describe('payload selection', () => {
  const include = (...paths: string[]): unknown => selectPayload(sample, { include: paths.map(path) });
  const exclude = (...paths: string[]): unknown => selectPayload(sample, { exclude: paths.map(path) });

  it('includes whole keys and nested ones', () => {
    expect(include('plain')).toEqual({ plain: 7 });
    expect(include('a.n', 'plain')).toEqual({ a: { n: null }, plain: 7 });
    expect(include('a.b[].c')).toEqual({ a: { b: [{ c: 1 }, { c: 2 }, {}] } });
    expect(include('nothing')).toEqual({});
  });

  it('excludes whole keys and nested ones', () => {
    expect(exclude('a', 'list')).toEqual({ 'odd key': { 'x.y': 5 }, plain: 7 });
    expect(exclude('a.b[].c', 'a.n', 'list', '"odd key"')).toEqual({ a: { b: [{}, {}, { d: { e: 3 } }] }, plain: 7 });
  });

  it('gives all or nothing', () => {
    expect(selectPayload(sample, true)).toBe(sample);
    expect(selectPayload(sample, false)).toBeUndefined();
  });
});

describe('payload changes', () => {
  it('merge top-level keys and delete those set to null', () => {
    expect(mergePayload({ a: 1, b: { c: 1 } }, { b: { d: 2 }, a: null })).toEqual({ b: { d: 2 } });
  });

  it.each<[JsonObject, string, JsonObject]>([
    [{ a: { x: 1 } }, 'a', { a: { x: 1, new: 1 } }],
    [{ a: 5 }, 'a', { a: { new: 1 } }],
    [{}, 'a.b', { a: { b: { new: 1 } } }],
    [{ a: [{ x: 1 }, 2] }, 'a[0]', { a: [{ x: 1, new: 1 }, 2] }],
    [{ a: [{ x: 1 }, 2] }, 'a[]', { a: [{ x: 1, new: 1 }, { new: 1 }] }],
    [{ a: [1] }, 'a[5]', { a: [1] }],
  ])('%j merged at %s', (payload, at, expected) => {
    const before = JSON.stringify(payload);
    expect(mergePayloadAt(payload, path(at), { new: 1 })).toEqual(expected);
    expect(JSON.stringify(payload)).toBe(before);
  });

  it.each<[string, JsonObject]>([
    ['plain', { a: { b: [{ c: 1 }] }, list: [1] }],
    ['a.b', { a: {}, list: [1], plain: 7 }],
    ['a.b[].c', { a: { b: [{}] }, list: [1], plain: 7 }],
    ['list[0]', { a: { b: [{ c: 1 }] }, list: [1], plain: 7 }],
    ['list[]', { a: { b: [{ c: 1 }] }, list: [], plain: 7 }],
  ])('without %s', (at, expected) => {
    const payload = { a: { b: [{ c: 1 }] }, list: [1], plain: 7 };
    expect(removeFromPayload(payload, [path(at)])).toEqual(expected);
    expect(payload).toEqual({ a: { b: [{ c: 1 }] }, list: [1], plain: 7 });
  });
});

import { beforeAll, describe, expect, it } from '@jest/globals';
import { useContractServer } from './support/contract-server';
import { createWithPayloads, idsMatching, type Id } from './support/points';

const server = useContractServer();

const TEXTS = {
  1: { t: 'Senior TypeScript Engineer' },
  2: { t: 'typescript, tooling' },
  3: { t: 'Go engineer' },
  4: { t: ['nothing', 'TypeScript'] },
  5: { t: 5 },
  6: {},
};

describe('match.text without a text index', () => {
  let name = '';
  beforeAll(async () => {
    name = await createWithPayloads(server, TEXTS);
  });
  const cases: [string, string, Id[]][] = [
    ['is a substring test', 'Script Eng', [1]],
    ['is case-sensitive', 'TypeScript', [1, 4]],
    ['of lower case', 'typescript', [2]],
    ['of nothing there', 'Rust', []],
  ];
  it.each(cases)('%s', async (_, text, expected) => {
    expect(await idsMatching(server, name, { must: [{ key: 't', match: { text } }] })).toEqual(expected);
  });
});

describe('match.text with a text index', () => {
  let name = '';
  beforeAll(async () => {
    name = await createWithPayloads(server, TEXTS);
    const field_schema = { type: 'text', tokenizer: 'word', lowercase: true, phrase_matching: true };
    const answer = await server.http('PUT', `/collections/${name}/index?wait=true`, { field_name: 't', field_schema });
    expect(answer.status).toBe(200);
  });
  const cases: [string, object, Id[]][] = [
    ['text: whole tokens in any case', { text: 'TYPESCRIPT' }, [1, 2, 4]],
    ['text: all tokens in any order', { text: 'engineer senior' }, [1]],
    ['text: part of a token is no token', { text: 'script' }, []],
    ['text: an unknown token matches nothing', { text: 'typescript zebra' }, []],
    ['text_any: one token is enough', { text_any: 'go tooling zebra' }, [2, 3]],
    ['text_any: none', { text_any: 'zebra yak' }, []],
    ['phrase: tokens in order', { phrase: 'typescript engineer' }, [1]],
    ['phrase: not out of order', { phrase: 'engineer typescript' }, []],
    ['phrase: punctuation is no token', { phrase: 'TypeScript tooling' }, [2]],
  ];
  it.each(cases)('%s', async (_, match, expected) => {
    expect(await idsMatching(server, name, { must: [{ key: 't', match }] })).toEqual(expected);
  });

  it('follows later writes', async () => {
    await server.client.setPayload(name, { wait: true, points: [3], payload: { t: 'Go and TypeScript' } });
    const filter = { must: [{ key: 't', match: { text: 'typescript go' } }] };
    expect(await idsMatching(server, name, filter)).toEqual([3]);
  });
});

describe('geo conditions', () => {
  const berlin = { lon: 13.405, lat: 52.52 };
  const potsdam = { lon: 13.0645, lat: 52.3906 };
  const paris = { lon: 2.3522, lat: 48.8566 };
  const ring = (west: number, south: number, east: number, north: number) => ({
    points: [
      { lon: west, lat: south },
      { lon: east, lat: south },
      { lon: east, lat: north },
      { lon: west, lat: north },
      { lon: west, lat: south },
    ],
  });
  const cases: [string, object, Id[]][] = [
    ['radius in metres', { geo_radius: { center: berlin, radius: 20_000 } }, [1, 4]],
    ['a wider radius', { geo_radius: { center: berlin, radius: 40_000 } }, [1, 2, 4]],
    [
      'bounding box',
      { geo_bounding_box: { top_left: { lon: 12, lat: 54 }, bottom_right: { lon: 15, lat: 51 } } },
      [1, 2, 4],
    ],
    [
      'a box of the west',
      { geo_bounding_box: { top_left: { lon: 0, lat: 50 }, bottom_right: { lon: 5, lat: 45 } } },
      [3, 4],
    ],
    ['polygon', { geo_polygon: { exterior: ring(12, 51, 15, 54) } }, [1, 2, 4]],
    [
      'polygon with a hole',
      { geo_polygon: { exterior: ring(12, 51, 15, 54), interiors: [ring(12.9, 52.3, 13.2, 52.45)] } },
      [1, 4],
    ],
  ];
  const payloads = {
    1: { at: berlin },
    2: { at: potsdam },
    3: { at: paris },
    4: { at: [paris, berlin] },
    5: { at: 'Berlin' },
    6: { at: { lat: 52.52 } },
    7: {},
  };

  describe.each([{ isIndexed: false }, { isIndexed: true }])('indexed: $isIndexed', ({ isIndexed }) => {
    let name = '';
    beforeAll(async () => {
      name = await createWithPayloads(server, payloads);
      if (isIndexed)
        await server.client.createPayloadIndex(name, { wait: true, field_name: 'at', field_schema: 'geo' });
    });
    it.each(cases)('%s', async (_, condition, expected) => {
      expect(await idsMatching(server, name, { must: [{ key: 'at', ...condition }] })).toEqual(expected);
    });
  });
});

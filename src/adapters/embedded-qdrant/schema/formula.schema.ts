import { parseDatetime } from '../filter/datetime';
import type { Condition } from '../filter/filter';
import type { GeoPoint } from '../filter/geo';
import { isObject, numberOf } from '../json/json-value';
import type { JsonPath } from '../payload/json-path';
import { parsePath } from '../payload/json-path';
import { badInput } from '../qdrant-error';
import { expected, list, number, object, optional, text, type Decoder } from './decode';
import { condition, geoPoint, path } from './filter.schema';

export type DecayKind = 'lin' | 'exp' | 'gauss';

/** An expression that scores a point from its prefetched scores, payload and conditions. */
export type Expression =
  | { op: 'constant'; value: number }
  | { op: 'score'; prefetch: number }
  | { op: 'payload'; path: JsonPath }
  | { op: 'condition'; condition: Condition }
  | { op: 'geo_distance'; origin: GeoPoint; path: JsonPath }
  | { op: 'datetime'; seconds: number }
  | { op: 'datetime_key'; path: JsonPath }
  | { op: 'mult' | 'sum'; parts: Expression[] }
  | { op: 'neg' | 'abs' | 'sqrt' | 'exp' | 'log10' | 'ln'; of: Expression }
  | { op: 'div'; left: Expression; right: Expression; byZero: number | undefined }
  | { op: 'pow'; base: Expression; exponent: Expression }
  | { op: 'decay'; kind: DecayKind; x: Expression; target: Expression | undefined; lambda: number };

const UNARY = ['neg', 'abs', 'sqrt', 'exp', 'log10', 'ln'] as const;

export const expression: Decoder<Expression> = (value, at) => {
  const constant = numberOf(value);
  if (constant !== undefined) return { op: 'constant', value: Math.fround(constant) };
  if (typeof value === 'string') return variable(value);
  if (!isObject(value)) return expected('an expression', value, at);
  const key = Object.keys(value).find((name) => Object.hasOwn(BY_KEY, name));
  if (key !== undefined) return (BY_KEY[key] as Decoder<Expression>)(value, at);
  return { op: 'condition', condition: condition(value, at) };
};

/** `$score`, `$score[1]`, or a payload path. */
export function variable(name: string): Expression {
  const score = /^\$score(?:\[(\d+)\])?$/.exec(name);
  if (score !== null) return { op: 'score', prefetch: Number(score[1] ?? 0) };
  const parsed = name.startsWith('$') ? undefined : parsePath(name);
  if (parsed === undefined) throw badInput(`failed to parse variable ID ${name}: Invalid reserved variable or path`);
  return { op: 'payload', path: parsed };
}

const BY_KEY: Record<string, Decoder<Expression>> = {
  geo_distance: (value, at) => {
    const { geo_distance: decoded } = object({ geo_distance: object({ origin: geoPoint, to: path }) })(value, at);
    return { op: 'geo_distance', origin: decoded.origin, path: decoded.to };
  },
  datetime: (value, at) => {
    const { datetime } = object({ datetime: text })(value, at);
    const micros = parseDatetime(datetime);
    if (micros === undefined) throw badInput(`failed to parse date-time ${datetime}`);
    return { op: 'datetime', seconds: micros / 1e6 };
  },
  datetime_key: (value, at) => ({ op: 'datetime_key', path: object({ datetime_key: path })(value, at).datetime_key }),
  mult: (value, at) => ({ op: 'mult', parts: object({ mult: list(expression) })(value, at).mult }),
  sum: (value, at) => ({ op: 'sum', parts: object({ sum: list(expression) })(value, at).sum }),
  div: (value, at) => {
    const fields = object({ left: expression, right: expression, by_zero_default: optional(number) });
    const { div } = object({ div: fields })(value, at);
    return { op: 'div', left: div.left, right: div.right, byZero: div.by_zero_default };
  },
  pow: (value, at) => {
    const { pow } = object({ pow: object({ base: expression, exponent: expression }) })(value, at);
    return { op: 'pow', ...pow };
  },
  ...Object.fromEntries(
    UNARY.map((op): [string, Decoder<Expression>] => [
      op,
      (value, at) => ({ op, of: object({ [op]: expression })(value, at)[op] as Expression }),
    ]),
  ),
  ...Object.fromEntries((['lin', 'exp', 'gauss'] as const).map((kind) => [`${kind}_decay`, decay(kind)])),
};

function decay(kind: DecayKind): Decoder<Expression> {
  const key = `${kind}_decay`;
  return (value, at) => {
    const fields = object({
      x: expression,
      target: optional(expression),
      scale: optional(number),
      midpoint: optional(number),
    });
    const decoded = object({ [key]: fields })(value, at)[key];
    if (decoded === undefined) return expected('a decay', value, at);
    const { x, target, scale = 1, midpoint = 0.5 } = decoded;
    return { op: 'decay', kind, x, target, lambda: decayRate(kind, scale, midpoint) };
  };
}

/** The rate at which the decay is `midpoint` at a distance of `scale` from its target. */
function decayRate(kind: DecayKind, scale: number, midpoint: number): number {
  if (!(midpoint > 0 && midpoint < 1))
    throw badInput(`Decay midpoint should be between 0.0 and 1.0 (exclusive), got ${midpoint}.`);
  if (!(scale > 0)) throw badInput(`Decay scale should be non-zero positive, got ${scale}.`);
  if (kind === 'lin') return (1 - midpoint) / scale;
  return kind === 'exp' ? Math.log(midpoint) / scale : Math.log(midpoint) / scale ** 2;
}

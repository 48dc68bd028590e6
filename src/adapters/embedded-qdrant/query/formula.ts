import type { Collection } from '../engine/collection';
import { pointTest } from '../engine/filter-mask';
import { parseDatetime } from '../filter/datetime';
import { geoDistance, geoPointOf } from '../filter/geo';
import { numberOf, type Json } from '../json/json-value';
import { valuesAt, type JsonPath } from '../payload/json-path';
import { badInput } from '../qdrant-error';
import type { DecayKind, Expression } from '../schema/formula.schema';
import { variable } from '../schema/formula.schema';
import type { Hit } from './hit';

type Scorer = (slot: number) => number;

/** Scores every prefetched point by an expression over its prefetched scores, its payload and conditions. */
export function scoreByFormula(
  collection: Collection,
  formula: Expression,
  defaults: ReadonlyMap<string, Json>,
  lists: readonly Hit[][],
): Hit[] {
  const score = new FormulaCompiler(collection, defaults, lists).compile(formula);
  const slots = new Set(lists.flatMap((list) => list.map(({ slot }) => slot)));
  return [...slots].map((slot) => ({ slot, score: Math.fround(score(slot)) })).sort((a, b) => b.score - a.score);
}

class FormulaCompiler {
  private readonly scores: Map<number, number>[];
  private readonly scoreDefaults = new Map<number, number>();
  private readonly payloadDefaults = new Map<string, Json>();

  constructor(
    private readonly collection: Collection,
    defaults: ReadonlyMap<string, Json>,
    lists: readonly Hit[][],
  ) {
    this.scores = lists.map((list) => new Map(list.map(({ slot, score }) => [slot, score])));
    for (const [name, value] of defaults) {
      const parsed = variable(name);
      if (parsed.op === 'payload') this.payloadDefaults.set(parsed.path.text, value);
      if (parsed.op === 'score') this.scoreDefaults.set(parsed.prefetch, numberOf(value) ?? 0);
    }
  }

  compile(expression: Expression): Scorer {
    switch (expression.op) {
      case 'constant':
        return () => expression.value;
      case 'score': {
        const scores = this.scores[expression.prefetch];
        const fallback = this.scoreDefaults.get(expression.prefetch) ?? 0;
        return (slot) => scores?.get(slot) ?? fallback;
      }
      case 'payload':
        return this.payload(expression.path, 'number', numberOf);
      case 'condition': {
        const test = pointTest({ must: [expression.condition] }, this.collection);
        return (slot) => (test(slot) ? 1 : 0);
      }
      case 'geo_distance':
        return this.payload(expression.path, 'geo point', (value) => {
          const point = geoPointOf(value);
          return point && geoDistance(expression.origin, point);
        });
      case 'datetime':
        return () => expression.seconds;
      case 'datetime_key':
        return this.payload(expression.path, 'datetime', (value) => {
          const micros = typeof value === 'string' ? parseDatetime(value) : undefined;
          return micros === undefined ? undefined : micros / 1e6;
        });
      case 'mult': {
        const parts = expression.parts.map((part) => this.compile(part));
        return (slot) => {
          let product = 1;
          for (const part of parts) {
            const value = part(slot);
            if (value === 0) return 0;
            product *= value;
          }
          return product;
        };
      }
      case 'sum': {
        const parts = expression.parts.map((part) => this.compile(part));
        return (slot) => parts.reduce((sum, part) => sum + part(slot), 0);
      }
      case 'neg':
      case 'abs':
      case 'sqrt':
      case 'exp':
      case 'log10':
      case 'ln': {
        const of = this.compile(expression.of);
        const apply = UNARY[expression.op];
        return (slot) => finite(apply(of(slot)), expression.op);
      }
      case 'div': {
        const [left, right] = [this.compile(expression.left), this.compile(expression.right)];
        return (slot) => {
          const numerator = left(slot);
          if (numerator === 0) return 0;
          const denominator = right(slot);
          if (denominator === 0 && expression.byZero !== undefined) return expression.byZero;
          return finite(numerator / denominator, `${numerator}/${denominator}`);
        };
      }
      case 'pow': {
        const [base, exponent] = [this.compile(expression.base), this.compile(expression.exponent)];
        return (slot) => finite(base(slot) ** exponent(slot), 'pow');
      }
      case 'decay': {
        const x = this.compile(expression.x);
        const target = expression.target === undefined ? () => 0 : this.compile(expression.target);
        return (slot) => decay(expression.kind, x(slot) - target(slot), expression.lambda);
      }
    }
  }

  private payload(path: JsonPath, type: string, read: (value: Json) => number | undefined): Scorer {
    const fallback = this.payloadDefaults.get(path.text);
    return (slot) => {
      const found = valuesAt(path, this.collection.payloads[slot] ?? {});
      // A field with an index gives its elements, one without gives the array itself: one element is the value.
      const values = found.flatMap((value) => (Array.isArray(value) ? value : [value]));
      const value = values.length === 0 ? fallback : values.length === 1 ? values[0] : values;
      const result = value === undefined ? undefined : read(value);
      if (result !== undefined) return result;
      const reason = value === undefined ? 'No value found in a payload nor defaults' : `Value is not a ${type}`;
      throw badInput(
        `Variable type error: expected ${type} value for ${path.text} in the payload and/or in the formula defaults. Error: ${reason}`,
      );
    };
  }
}

const UNARY = {
  neg: (value: number) => -value,
  abs: Math.abs,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log10: Math.log10,
  ln: Math.log,
};

function finite(value: number, expression: string): number {
  if (Number.isFinite(value)) return value;
  throw badInput(`The expression ${expression} produced a non-finite number`);
}

function decay(kind: DecayKind, difference: number, lambda: number): number {
  if (kind === 'exp') return Math.exp(lambda * Math.abs(difference));
  return kind === 'gauss' ? Math.exp(lambda * difference * difference) : Math.max(0, 1 - lambda * Math.abs(difference));
}

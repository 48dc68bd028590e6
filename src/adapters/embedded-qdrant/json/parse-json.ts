import { ExactNumber, setKey, type Json, type JsonObject } from './json-value';

/**
 * Numbers that JSON.parse would change: sixteen or more digits, a fraction of zeros, a positive exponent.
 * A hit inside a string costs time only.
 */
const NEEDS_EXACT_NUMBERS = /(?:^|[[,:\s])-?(?:\d{16}|\d+(?:\.0+(?![\deE])|(?:\.\d+)?[eE]\+?\d))/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const MAX_DEPTH = 128;

/** Parses JSON without losing what a number was. @throws SyntaxError */
export function parseJson(text: string): Json {
  return NEEDS_EXACT_NUMBERS.test(text) ? new ExactParser(text).parse() : (JSON.parse(text) as Json);
}

class ExactParser {
  private position = 0;

  constructor(private readonly text: string) {}

  parse(): Json {
    const value = this.value(0);
    this.space();
    if (this.position < this.text.length) this.fail('unexpected text after the value');
    return value;
  }

  private value(depth: number): Json {
    if (depth > MAX_DEPTH) this.fail('nested too deeply');
    this.space();
    switch (this.text[this.position]) {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return this.string();
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
      default:
        return this.number();
    }
  }

  private object(depth: number): JsonObject {
    const result: JsonObject = {};
    this.position += 1;
    if (this.skip('}')) return result;
    for (;;) {
      this.space();
      if (this.text[this.position] !== '"') this.fail('expected a key');
      const key = this.string();
      if (!this.skip(':')) this.fail('expected `:`');
      setKey(result, key, this.value(depth + 1));
      if (this.skip('}')) return result;
      if (!this.skip(',')) this.fail('expected `,` or `}`');
    }
  }

  private array(depth: number): Json[] {
    const result: Json[] = [];
    this.position += 1;
    if (this.skip(']')) return result;
    for (;;) {
      result.push(this.value(depth + 1));
      if (this.skip(']')) return result;
      if (!this.skip(',')) this.fail('expected `,` or `]`');
    }
  }

  private string(): string {
    const start = this.position;
    let end = start + 1;
    for (; ; end += 1) {
      const code = this.text.charCodeAt(end);
      if (Number.isNaN(code)) this.fail('unterminated string');
      if (code === 0x22) break;
      if (code === 0x5c) end += 1;
    }
    this.position = end + 1;
    return JSON.parse(this.text.slice(start, end + 1)) as string;
  }

  private number(): number | ExactNumber {
    NUMBER.lastIndex = this.position;
    const match = NUMBER.exec(this.text);
    if (match === null) this.fail('expected a value');
    const text = match[0];
    this.position += text.length;
    const value = Number(text);
    const isWrittenAsInteger = !/[.eE]/.test(text);
    const isExact = isWrittenAsInteger ? Number.isSafeInteger(value) : !Number.isInteger(value);
    return isExact ? value : new ExactNumber(text);
  }

  private word<T extends Json>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.position)) this.fail('expected a value');
    this.position += word.length;
    return value;
  }

  private skip(character: string): boolean {
    this.space();
    if (this.text[this.position] !== character) return false;
    this.position += 1;
    return true;
  }

  private space(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.position += 1;
    }
  }

  private fail(message: string): never {
    throw new SyntaxError(`${message} at position ${this.position}`);
  }
}

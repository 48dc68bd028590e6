import type { ChaosField } from '../kinds';
import type { Value } from '../model';
import type { Random } from '../../support/random';

const WORDS =
  'harbour lantern violin orchard glacier compass bakery falcon meadow turbine archive canal ember quarry saddle weaver pilot anchor cedar market'.split(
    ' ',
  );
/** Of texts that several records have, whose vectors may be taken from one another. */
const COMMON_TEXTS = 8;
export const TOKEN = /\bzq\d+x\b/g;
/** What the embedding endpoint refuses for good, until it is told not to. */
export const POISON = 'poisonous';

let tokens = COMMON_TEXTS;

/** Invents values. Each has a token that no other has (save common ones), by which it is known again in any text. */
export class Texts {
  constructor(private readonly random: Random) {}

  value(field: ChaosField): Value {
    if (field.isNullable && this.random.chance(0.1)) return null;
    switch (field.type) {
      case 'line':
        return `${this.token()} ${this.words(1)}`;
      case 'prose':
        return this.random.chance(0.15) ? this.common() : this.prose();
      case 'paragraphs':
        return this.paragraphs();
      case 'list':
        return JSON.stringify(Array.from({ length: this.random.int(0, 3) }, () => `${this.token()} ${this.words(1)}`));
      case 'boolean':
        return String(this.random.chance(0.5));
    }
  }

  private token(): string {
    return `zq${++tokens}x`;
  }

  private words(count: number): string {
    return Array.from({ length: count }, () => this.random.pick(WORDS)).join(' ');
  }

  private common(): string {
    const n = this.random.int(1, COMMON_TEXTS);
    return `zq${n}x ${WORDS[n] as string} ${WORDS[n + 1] as string}`;
  }

  /** One sentence, or so many that it does not fit one chunk. */
  private prose(): string {
    const sentences = this.random.chance(0.15) ? this.random.int(8, 20) : 1;
    const poison = this.random.chance(0.04) ? ` ${POISON}` : '';
    return `${Array.from({ length: sentences }, () => `${this.token()} ${this.words(7)}.`).join(' ')}${poison}`;
  }

  private paragraphs(): string {
    const count = this.random.int(1, 5);
    // Equal paragraphs occur, in one story and in several.
    return Array.from({ length: count }, () => (this.random.chance(0.3) ? this.common() : this.prose())).join('\n\n');
  }
}

export function tokensOf(text: string): Set<string> {
  return new Set(text.match(TOKEN) ?? []);
}

import type { Generation } from './generation-store';

/** Which of a kind's generations is meant: the one that is read, or the one beside it. */
export type GenerationRole = 'live' | 'standby';

/**
 * The generations as they were at one moment. Whoever compares vectors takes one route for all that belongs together, the
 * model and every collection: so spaces are never mixed, even while another model is being promoted. Collections have
 * their own names here and not their aliases, which may change between two requests.
 */
export class Route {
  private readonly live = new Map<string, Generation>();
  private readonly beside = new Map<string, Generation>();

  constructor(current: readonly Generation[]) {
    for (const generation of current) {
      (generation.state === 'live' ? this.live : this.beside).set(generation.kind, generation);
    }
  }

  get isKnown(): boolean {
    return this.live.size > 0;
  }

  /** The model of the live collections. */
  get model(): Generation {
    const [first] = this.live.values();
    if (!first) throw new Error('The collection catalog has not been started');
    return first;
  }

  /** The live collection of a kind. */
  collection(kind: string): string {
    const generation = this.live.get(kind);
    if (!generation) throw new Error(`There is no live collection for ${kind}`);
    return generation.collection;
  }

  /** What is being built or kept up to date beside the live collections. */
  get standby(): readonly Generation[] {
    return this.of('standby');
  }

  of(role: GenerationRole): readonly Generation[] {
    return [...(role === 'live' ? this.live : this.beside).values()];
  }

  /** The longest chunk that every model at work on a kind takes, in tokens. */
  maxTokens(kind: string): number {
    const windows = [this.live.get(kind), this.beside.get(kind)].flatMap((one) => one?.maxTokens ?? []);
    return windows.length > 0 ? Math.min(...windows) : this.model.maxTokens;
  }
}

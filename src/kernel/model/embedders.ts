import type { Embedder, ModelDescriptor } from './embedder';

/** What tells models apart; vectors of different ones cannot be compared. */
export type ModelIdentity = Pick<ModelDescriptor, 'provider' | 'name' | 'version' | 'dimensions'>;

export function isSameModel(a: ModelIdentity, b: ModelIdentity): boolean {
  return a.provider === b.provider && a.name === b.name && a.version === b.version && a.dimensions === b.dimensions;
}

/** `openai/text-embedding-3-small (1536 dimensions)` */
export function nameModel({ provider, name, dimensions }: ModelIdentity): string {
  return `${provider}/${name} (${dimensions} dimensions)`;
}

/** The models that this process can embed with: the configured one and, while the model is being changed, the next. */
export class Embedders {
  readonly next: Embedder | undefined;

  /** @param next is left out when it is the same model */
  constructor(
    readonly configured: Embedder,
    next?: Embedder,
  ) {
    this.next = next && !isSameModel(next.model, configured.model) ? next : undefined;
  }

  get all(): readonly Embedder[] {
    return this.next ? [this.configured, this.next] : [this.configured];
  }

  of(model: ModelIdentity): Embedder | undefined {
    return this.all.find((embedder) => isSameModel(embedder.model, model));
  }

  /** Resolves once every one of them answers. */
  async ready(): Promise<void> {
    await Promise.all(this.all.map((embedder) => embedder.ready()));
  }
}

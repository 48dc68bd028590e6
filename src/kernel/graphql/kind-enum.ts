import { registerEnumType } from 'type-graphql';

import type { KindRegistry } from '../record/registry';

const made = new WeakMap<KindRegistry, object>();

/** The enum of kinds that have embeddings; inside the program its values are the kinds' own names. */
export function embeddableKindEnum(registry: KindRegistry): object {
  let kindEnum = made.get(registry);
  if (!kindEnum) {
    kindEnum = Object.fromEntries(registry.embeddable.map((kind) => [kind.kind.toUpperCase(), kind.kind]));
    registerEnumType(kindEnum, { name: 'EmbeddableKind', description: 'Kinds of record that have embeddings.' });
    made.set(registry, kindEnum);
  }
  return kindEnum;
}

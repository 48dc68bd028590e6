import { Arg, Ctx, Field, ID, Int, Mutation, ObjectType, Resolver } from 'type-graphql';

import { DomainError } from '../errors/domain-error';
import type { Erasure, ErasureFindings, Traces } from '../lifecycle/erasure';
import { decodeIdOf } from '../record/global-id';
import type { RecordKind } from '../record/record-spec';
import type { GraphQLContext } from './context';
import { requireRole } from './require-role';

type ResolverClass = new () => object;

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 300_000;

@ObjectType('ErasureTraces', { description: 'What there was of an erased record.' })
class ErasureTracesType implements Traces {
  @Field(() => Int, { description: 'The record, what belongs to it, and their embeddings.' })
  rows!: number;

  @Field(() => Int, { description: 'Entries of the ledger of points.' })
  ledgerEntries!: number;

  @Field(() => Int, { description: 'Events in the outbox, dead letters included.' })
  events!: number;

  @Field(() => Int)
  deadLetters!: number;

  @Field(() => Int, { description: 'Points in Qdrant, in every collection.' })
  points!: number;

  @Field(() => Int, { description: 'Query texts whose vectors were remembered, whosever they are.' })
  cachedTexts!: number;
}

@ObjectType('ErasureFindings', { description: 'What was looked for after an erasure, and found.' })
class ErasureFindingsType extends ErasureTracesType implements ErasureFindings {
  @Field(() => Int, { description: 'Hits of searches by the words that the texts had.' })
  lexicalHits!: number;

  @Field(() => Int, { description: 'Hits of searches by the vectors that the points had.' })
  vectorHits!: number;
}

@ObjectType({ description: 'What was erased, and what was found afterwards: nothing, or the mutation fails.' })
class ErasurePayload implements Erasure {
  @Field(() => ID)
  erasedId!: string;

  @Field(() => ErasureTracesType)
  removed!: ErasureTracesType;

  @Field(() => ErasureFindingsType)
  found!: ErasureFindingsType;
}

/** `eraseProfile` and the like, for kinds whose records are persons. */
export function erasureResolver(kind: RecordKind): ResolverClass {
  const { names } = kind;

  @Resolver(() => kind.entity)
  class ErasureResolver {
    @Mutation(() => ErasurePayload, {
      name: `erase${names.short}`,
      description:
        'Deletes it with everything that belongs to it and every trace that is kept of it, waits until its points are gone, ' +
        'and then looks for it by every way that leads to records. ERASURE_INCOMPLETE when it finds something. For admins.',
    })
    async erase(
      @Arg('id', () => ID) id: string,
      @Arg('timeoutMs', () => Int, {
        nullable: true,
        defaultValue: DEFAULT_TIMEOUT_MS,
        description: `How long to wait for the points to be gone, at most ${MAX_TIMEOUT_MS}.`,
      })
      timeoutMs: number | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<ErasurePayload> {
      requireRole(context, 'admin');
      const waitMs = timeoutMs ?? DEFAULT_TIMEOUT_MS;
      if (waitMs < 0 || waitMs > MAX_TIMEOUT_MS) {
        throw new DomainError('BAD_INPUT', `timeoutMs: ${waitMs} is outside 0 to ${MAX_TIMEOUT_MS}.`, {
          details: { field: 'timeoutMs', max: MAX_TIMEOUT_MS },
        });
      }
      const { eraser } = context.services;
      const erasure = await eraser.erase(kind, decodeIdOf(names.type, id), { actor: context.actor, timeoutMs: waitMs });
      return { erasedId: id, ...erasure };
    }
  }
  return ErasureResolver;
}

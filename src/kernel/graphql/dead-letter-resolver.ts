import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  GraphQLISODateTime,
  ID,
  Int,
  Mutation,
  ObjectType,
  Query,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';

import { DomainError } from '../errors/domain-error';
import { DEAD_LETTER, type DeadLetterPosition, type DeadLetterRow } from '../outbox/dead-letters';
import { decodeIdOf, toGlobalId } from '../record/global-id';
import { decodeCursor, encodeCursor, readPage } from '../record/page';
import { NodeInterface, setTypeName, type RecordBase } from '../record/record-base';
import type { KindRegistry } from '../record/registry';
import { connectionOf, type Connection } from './connection';
import type { GraphQLContext } from './context';
import { embeddableKindEnum } from './kind-enum';
import { connectionTypes } from './record-types';
import { requireRole } from './require-role';

type ResolverClass = new () => object;

const LIST_NAME = 'deadLetters';

enum OutboxTopicType {
  SOURCE = 'source',
  POINT = 'point',
  BUILD = 'build',
  FOLLOW_UP = 'follow_up',
}
registerEnumType(OutboxTopicType, {
  name: 'OutboxTopic',
  description: 'What an event is about.',
  valuesConfig: {
    SOURCE: { description: 'A record whose text or payload may have changed.' },
    POINT: { description: 'One point that has to be brought to its row’s state.' },
    BUILD: { description: 'A point of the collections that are beside the live ones while the model is changed.' },
    FOLLOW_UP: { description: 'Work of a feature that follows on a new vector, such as tagging.' },
  },
});

@ObjectType(DEAD_LETTER, {
  implements: NodeInterface,
  description:
    'A change that the vector side could not follow and has given up. A later change of the same record tries anew.',
})
class DeadLetter {
  @Field(() => OutboxTopicType)
  readonly topic: string;

  @Field(() => ID, { nullable: true, description: 'Of the point, when it is about one.' })
  readonly pointId: string | null;

  @Field(() => Int, { description: 'Failed attempts.' })
  readonly attempts: number;

  @Field(() => String, { description: 'Code of the last error.' })
  readonly errorCode: string;

  @Field(() => String, { description: 'The last error.' })
  readonly error: string;

  @Field(() => GraphQLISODateTime, { description: 'When the change was made.' })
  readonly capturedAt: Date;

  @Field(() => GraphQLISODateTime, { description: 'When it was given up.' })
  readonly failedAt: Date;

  constructor(readonly row: DeadLetterRow) {
    const isCore = row.topic === 'source' || row.topic === 'point' || row.topic === 'build';
    this.topic = isCore ? row.topic : OutboxTopicType.FOLLOW_UP;
    this.pointId = row.pointId;
    this.attempts = row.attempts;
    this.errorCode = row.errorCode;
    this.error = row.error;
    this.capturedAt = row.capturedAt;
    this.failedAt = row.failedAt;
  }

  get globalId(): string {
    return toGlobalId(DEAD_LETTER, this.row.id);
  }
}
setTypeName(DeadLetter, DEAD_LETTER);

const DeadLetterConnection = connectionTypes(
  'DeadLetter',
  () => DeadLetter,
  'One page of dead letters, the latest first.',
);

@ObjectType({ description: 'What was put back into the queue.' })
class RedrivePayload {
  @Field(() => Int, { description: 'Dead letters that are tried again.' })
  redriven!: number;
}

/** A dead letter by the key of its global id. */
export async function deadLetterNode(id: number, context: GraphQLContext): Promise<object | null> {
  requireRole(context, 'admin');
  const row = await context.services.deadLetters.byId(id);
  return row ? new DeadLetter(row) : null;
}

function readPosition(given: unknown): DeadLetterPosition | undefined {
  if (!Array.isArray(given) || given.length !== 2) return undefined;
  const [micros, id] = given as unknown[];
  if (typeof micros !== 'string' || !/^\d{1,17}$/.test(micros)) return undefined;
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? [micros, id] : undefined;
}

/** `deadLetters` and what can be done about them. */
export function deadLetterResolvers(registry: KindRegistry): ResolverClass[] {
  const kindEnum = embeddableKindEnum(registry);

  @Resolver(() => DeadLetter)
  class DeadLetterResolver {
    @Query(() => DeadLetterConnection, {
      description: 'Changes that the vector side has given up, the latest first. For admins.',
    })
    async deadLetters(
      @Arg('first', () => Int, { nullable: true }) first: number | null | undefined,
      @Arg('after', () => String, { nullable: true }) after: string | null | undefined,
      @Arg('kind', () => kindEnum, { nullable: true }) kind: string | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<Connection<DeadLetter>> {
      requireRole(context, 'admin');
      const { deadLetters } = context.services;
      const { size, cursor } = readPage({ first, after });
      const position = cursor === undefined ? undefined : decodeCursor(LIST_NAME, cursor, readPosition);
      const of = { kind: kind ?? undefined };
      const { rows, hasNextPage } = await deadLetters.page(size, { ...of, after: position });
      return connectionOf(
        rows.map((row) => new DeadLetter(row)),
        (i) => encodeCursor(LIST_NAME, rows[i]?.position),
        { hasNextPage, hasPreviousPage: position !== undefined },
        () => deadLetters.count(of.kind),
      );
    }

    @FieldResolver(() => kindEnum)
    kind(@Root() { row }: DeadLetter): string {
      return row.kind;
    }

    @FieldResolver(() => NodeInterface, { nullable: true, description: 'The record concerned; null once it is gone.' })
    record(@Root() { row }: DeadLetter, @Ctx() context: GraphQLContext): Promise<RecordBase | null> | null {
      return row.recordId === null ? null : context.loaders.record(registry.kind(row.kind), row.recordId);
    }

    @Mutation(() => RedrivePayload, {
      description: 'Tries one dead letter again, with all of its attempts. For admins.',
    })
    async redriveDeadLetter(@Arg('id', () => ID) id: string, @Ctx() context: GraphQLContext): Promise<RedrivePayload> {
      requireRole(context, 'admin');
      if (!(await context.services.deadLetters.redrive(decodeIdOf(DEAD_LETTER, id)))) {
        throw new DomainError('NOT_FOUND', `There is no dead letter ${id}; it may have been tried again already.`, {
          details: { field: 'id' },
        });
      }
      return { redriven: 1 };
    }

    @Mutation(() => RedrivePayload, {
      description:
        'Tries all dead letters again, or those of one kind, behind what someone may be waiting for. For admins.',
    })
    async redriveDeadLetters(
      @Arg('kind', () => kindEnum, { nullable: true }) kind: string | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<RedrivePayload> {
      requireRole(context, 'admin');
      return { redriven: await context.services.deadLetters.redriveAll(kind ?? undefined) };
    }
  }
  return [DeadLetterResolver];
}

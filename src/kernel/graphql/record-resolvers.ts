import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Int, Mutation, Query, Resolver, Root } from 'type-graphql';

import { DomainError } from '../errors/domain-error';
import type { ReferenceOptions } from '../record/attribute';
import { FilterReader, type FilterInput } from '../record/filter';
import { decodeIdOf, toGlobalId } from '../record/global-id';
import { decodeCursor, encodeCursor, readInteger, readPage, type PageInput } from '../record/page';
import type { RecordBase } from '../record/record-base';
import type { RecordInput } from '../record/record-input';
import type { ChildList, RecordKind } from '../record/record-spec';
import type { WrittenRecord } from '../record/record-writer';
import type { KindRegistry } from '../record/registry';
import type { Connection } from './connection';
import { connectionOf } from './connection';
import type { GraphQLContext } from './context';
import { requireRole } from './require-role';
import type { RecordTypeFactory } from './record-types';
import { selectedOnNodes } from './selection';
import { DeletePayload } from './shared-types';

type ResolverClass = new () => object;

interface ListArguments extends PageInput {
  filter?: FilterInput | null;
  orderBy?: { field: string; direction?: 'ASC' | 'DESC' | null } | null;
}

/** Queries for one and for many records of a kind. */
export function readResolver(kind: RecordKind, factory: RecordTypeFactory): ResolverClass {
  const { names } = kind;
  const types = factory.of(kind);

  @Resolver(() => kind.entity)
  class ReadResolver {
    @Query(() => kind.entity, { name: names.field, nullable: true, description: `One ${names.label}.` })
    async one(
      @Args(() => types.lookupArguments) args: Record<string, string | null | undefined>,
      @Ctx() context: GraphQLContext,
    ): Promise<RecordBase | null> {
      const lookup = kind.lookup?.arguments ?? [];
      const givenLookup = lookup.filter((name) => args[name] != null);
      const ways = [args.id != null, args.externalId != null, givenLookup.length > 0].filter(Boolean).length;
      if (ways !== 1 || (givenLookup.length > 0 && givenLookup.length < lookup.length)) {
        const allowed = ['id', 'externalId', ...(lookup.length > 0 ? [lookup.join(' with ')] : [])].join(', or ');
        throw new DomainError('BAD_INPUT', `${names.field}: give exactly one of ${allowed}.`);
      }
      if (args.id != null) return context.loaders.record(kind, decodeIdOf(names.type, args.id));
      if (args.externalId != null) return context.loaders.recordByExternalId(kind, args.externalId);
      return context.services.records.byLookup(
        kind,
        lookup.map((name) => args[name] as string),
      );
    }

    @Query(() => types.connection, {
      name: names.plural,
      description: `A list of ${names.label}s, newest last unless ordered.`,
    })
    async many(
      @Args(() => types.listArguments) args: ListArguments,
      @Ctx() context: GraphQLContext,
      @Info() info: GraphQLResolveInfo,
    ): Promise<Connection<RecordBase>> {
      const { records, registry } = context.services;
      const filter = new FilterReader(kind, registry).read(args.filter);
      const order = { property: args.orderBy?.field ?? 'id', isDescending: args.orderBy?.direction === 'DESC' };
      const page = await records.list(kind, filter, order, readPage(args), selectedOnNodes(info));
      return connectionOf(page.records, page.cursorAt, page, () => records.count(kind, filter));
    }
  }
  return ReadResolver;
}

/** create, update, delete, archive and restore of a kind. */
export function writeResolver(kind: RecordKind, factory: RecordTypeFactory): ResolverClass {
  const { names } = kind;
  const types = factory.of(kind);
  const named = (verb: string): string => `${verb}${names.short}`;
  const payload = ({ record, syncToken }: WrittenRecord): object => ({ [names.field]: record, syncToken });

  @Resolver(() => kind.entity)
  class WriteResolver {
    @Mutation(() => types.payload, { name: named('create') })
    async create(
      @Arg('input', () => types.createInput) input: RecordInput,
      @Ctx() context: GraphQLContext,
    ): Promise<object> {
      requireRole(context, 'writer');
      return payload(await context.services.writer.create(kind, input, context.actor));
    }

    @Mutation(() => types.payload, { name: named('update') })
    async update(
      @Arg('id', () => ID) id: string,
      @Arg('input', () => types.updateInput) input: RecordInput,
      @Ctx() context: GraphQLContext,
    ): Promise<object> {
      requireRole(context, 'writer');
      return payload(await context.services.writer.update(kind, decodeIdOf(names.type, id), input, context.actor));
    }

    @Mutation(() => DeletePayload, {
      name: named('delete'),
      description: 'Its children, embeddings and points go with it.',
    })
    async delete(@Arg('id', () => ID) id: string, @Ctx() context: GraphQLContext): Promise<DeletePayload> {
      requireRole(context, 'writer');
      const written = await context.services.writer.delete(kind, decodeIdOf(names.type, id), context.actor);
      return { deletedId: toGlobalId(names.type, String(written.id)), syncToken: written.syncToken };
    }

    @Mutation(() => types.payload, { name: named('archive'), description: 'Hides it from lists and searches.' })
    async archive(@Arg('id', () => ID) id: string, @Ctx() context: GraphQLContext): Promise<object> {
      requireRole(context, 'writer');
      return payload(await context.services.writer.setArchived(kind, decodeIdOf(names.type, id), true, context.actor));
    }

    @Mutation(() => types.payload, {
      name: named('restore'),
      description: 'Brings it back; nothing is embedded again.',
    })
    async restore(@Arg('id', () => ID) id: string, @Ctx() context: GraphQLContext): Promise<object> {
      requireRole(context, 'writer');
      return payload(await context.services.writer.setArchived(kind, decodeIdOf(names.type, id), false, context.actor));
    }
  }
  return WriteResolver;
}

/** The record that a reference points to, e.g. `profile` of a skill. */
export function referenceResolvers(kind: RecordKind, registry: KindRegistry): ResolverClass[] {
  return kind.attributes.flatMap((attribute) => {
    if (!attribute.reference) return [];
    const reference: ReferenceOptions = attribute.reference;
    const target = registry.kind(reference.kind);

    @Resolver(() => kind.entity)
    class ReferenceResolver {
      @FieldResolver(() => target.entity, {
        nullable: attribute.isNullable ?? false,
        description: reference.description,
      })
      // type-graphql tells field resolvers of a type apart by their method's name.
      async [reference.field](@Root() record: RecordBase, @Ctx() context: GraphQLContext): Promise<RecordBase | null> {
        const id = (record as unknown as Record<string, number | null>)[attribute.property];
        return id == null ? null : context.loaders.record(target, id);
      }
    }
    return [ReferenceResolver];
  });
}

function childResolver(
  kind: RecordKind,
  list: ChildList,
  registry: KindRegistry,
  factory: RecordTypeFactory,
): ResolverClass {
  const attribute = kind.attributes.find((one) => one.property === list.reference);
  if (!attribute?.reference) throw new Error(`${kind.kind}: ${list.reference} is no reference`);
  const parent = registry.kind(attribute.reference.kind);
  const { column } = attribute;
  const description = `The ${kind.names.label}s of this ${parent.names.label}; archived ones are left out.`;

  if (list.shape === 'list') {
    @Resolver(() => parent.entity)
    class ChildListResolver {
      @FieldResolver(() => [kind.entity], { description })
      [list.field](@Root() record: RecordBase, @Ctx() context: GraphQLContext): Promise<RecordBase[]> {
        return context.loaders.children(kind, column, list.orderBy, record.id);
      }
    }
    return ChildListResolver;
  }

  @Resolver(() => parent.entity)
  class ChildConnectionResolver {
    @FieldResolver(() => factory.of(kind).connection, { description })
    async [list.field](
      @Root() record: RecordBase,
      @Arg('first', () => Int, { nullable: true }) first: number | null | undefined,
      @Arg('after', () => String, { nullable: true }) after: string | null | undefined,
      @Ctx() context: GraphQLContext,
    ): Promise<Connection<RecordBase>> {
      const listName = `${parent.kind}.${list.field}`;
      const { size, cursor } = readPage({ first, after });
      const afterId = cursor === undefined ? 0 : decodeCursor(listName, cursor, readInteger);
      const { items, hasNextPage } = await context.loaders.childPage(kind, column, size, record.id, afterId);
      return connectionOf(
        items,
        (i) => encodeCursor(listName, items[i]?.id),
        { hasNextPage, hasPreviousPage: afterId > 0 },
        () => context.loaders.childCount(kind, column, record.id),
      );
    }
  }
  return ChildConnectionResolver;
}

/** Lists of a kind on the records that its references point to, e.g. `skills` of a profile. */
export function childResolvers(kind: RecordKind, registry: KindRegistry, factory: RecordTypeFactory): ResolverClass[] {
  return (kind.lists ?? []).map((list) => childResolver(kind, list, registry, factory));
}

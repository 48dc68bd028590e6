import { Field, GraphQLISODateTime, ID, InterfaceType, ObjectType } from 'type-graphql';
import { Column, Generated, PrimaryGeneratedColumn } from 'typeorm';

import { toGlobalId } from './global-id';

/** GraphQL type name of a record class, set when its spec is defined. */
const typeNames = new WeakMap<object, string>();

export function setTypeName(recordClass: object, typeName: string): void {
  typeNames.set(recordClass, typeName);
}

export function typeNameOf(instance: object): string {
  const name = typeNames.get(instance.constructor);
  if (name === undefined) throw new Error(`${instance.constructor.name} is not a registered record class`);
  return name;
}

@InterfaceType('Node', {
  description: 'Anything that can be fetched again by its global id.',
  resolveType: (value: object) => typeNameOf(value),
})
export abstract class NodeInterface {
  @Field(() => ID, { name: 'id', description: 'Global id, opaque.' })
  readonly globalId!: string;
}

/** What every record has besides its own attributes: keys, audit fields, and when it was archived. */
@ObjectType()
export abstract class RecordBase {
  @PrimaryGeneratedColumn({ type: 'integer' })
  id!: number;

  @Column({ type: 'uuid' })
  @Generated('uuid')
  uuid!: string;

  @Column({ name: 'external_id', type: 'varchar', length: 200, nullable: true })
  @Field(() => String, { nullable: true, description: 'The natural key under which it was imported; unique per type.' })
  externalId!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  @Field(() => GraphQLISODateTime)
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  @Field(() => GraphQLISODateTime)
  updatedAt!: Date;

  @Column({ name: 'created_by', type: 'varchar', length: 200, nullable: true })
  @Field(() => String, { nullable: true, description: 'Who created it.' })
  createdBy!: string | null;

  @Column({ name: 'updated_by', type: 'varchar', length: 200, nullable: true })
  @Field(() => String, { nullable: true, description: 'Who changed it last.' })
  updatedBy!: string | null;

  @Column({ name: 'archived_at', type: 'timestamptz', nullable: true })
  @Field(() => GraphQLISODateTime, { nullable: true, description: 'Set while it is hidden from lists and searches.' })
  archivedAt!: Date | null;

  get globalId(): string {
    return toGlobalId(typeNameOf(this), this.id);
  }
}

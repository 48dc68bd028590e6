import { Field, ID, InterfaceType, ObjectType } from 'type-graphql';
import { Check, Entity, Index, JoinColumn, ManyToOne, Unique } from 'typeorm';

import { attributesOf } from './attribute';
import { NodeInterface, setTypeName, typeNameOf, type RecordBase } from './record-base';

@InterfaceType('Embeddable', {
  description: 'A record that has embeddings. `indexing` says how far the vector side has followed it.',
  resolveType: (value: object) => typeNameOf(value),
})
export abstract class EmbeddableInterface {
  @Field(() => ID, { name: 'id' })
  readonly globalId!: string;
}

export interface RecordTableOptions {
  table: string;
  typeName: string;
  description: string;
  /** Interfaces besides Node; default Embeddable. */
  implements?: Function[];
  /** Target class of each reference, by property. */
  references?: Record<string, { target: () => new () => RecordBase; onDelete: 'CASCADE' | 'SET NULL' | 'RESTRICT' }>;
}

const PARTIAL_DATE_PATTERN = '^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$';

/** Makes a class that extends `RecordBase` a table and a GraphQL type, with the keys and checks all records share. */
export function RecordTable(options: RecordTableOptions): ClassDecorator {
  const { table } = options;
  return (target) => {
    Entity(table)(target);
    Unique(`uq_${table}_uuid`, ['uuid'])(target);
    Unique(`uq_${table}_external_id`, ['externalId'])(target);
    Index(`idx_${table}_archived_at`, ['archivedAt'], { where: 'archived_at IS NOT NULL' })(target);
    const attributes = attributesOf(target);
    for (const attribute of attributes) {
      if (attribute.type === 'partialDate') {
        Check(`chk_${table}_${attribute.column}`, `${attribute.column} ~ '${PARTIAL_DATE_PATTERN}'`)(target);
      }
      if (attribute.choices) {
        const values = attribute.choices.values.map((value) => `'${value}'`).join(', ');
        Check(`chk_${table}_${attribute.column}`, `${attribute.column} IN (${values})`)(target);
      }
      const reference = options.references?.[attribute.property];
      if (attribute.reference && reference) {
        const relation = `${attribute.reference.field}Record`;
        ManyToOne(reference.target, { onDelete: reference.onDelete, nullable: attribute.isNullable ?? false })(
          target.prototype as object,
          relation,
        );
        JoinColumn({ name: attribute.column, foreignKeyConstraintName: `fk_${table}_${attribute.column}` })(
          target.prototype as object,
          relation,
        );
      }
    }
    ObjectType(options.typeName, {
      description: options.description,
      implements: [NodeInterface, ...(options.implements ?? [EmbeddableInterface])],
    })(target);
    setTypeName(target, options.typeName);
  };
}

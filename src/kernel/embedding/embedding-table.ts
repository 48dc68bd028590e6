import { ObjectType } from 'type-graphql';
import { Check, Column, Entity, Index, JoinColumn, ManyToOne, Unique } from 'typeorm';

import { NodeInterface, setTypeName, type RecordBase } from '../record/record-base';
import { EmbeddingRow } from './embedding-row';

export interface EmbeddingTableOptions {
  table: string;
  /** The record class that rows belong to. */
  source: () => new () => RecordBase;
  sourceColumn: string;
  /** Name of the index on the foreign key; the other indexes follow the table's name. */
  sourceIndex: string;
  /** Prefix of the other indexes, `idx_<table>` unless given. */
  types: readonly string[];
  typeName: string;
  chunkColumn?: string;
  /** Further GraphQL interfaces of the row's type. */
  implements?: Function[];
  description: string;
}

/**
 * Makes a class that extends `EmbeddingRow` a typed embedding table with its own foreign key (ON DELETE CASCADE),
 * uniqueness, checks and indexes, and a named GraphQL type. Written once for all of them.
 */
export function EmbeddingTable(options: EmbeddingTableOptions): ClassDecorator {
  const { table, sourceColumn } = options;
  const chunkColumn = options.chunkColumn ?? 'chunk_index';
  const typeList = options.types.map((type) => `'${type}'`).join(', ');
  return (target) => {
    const prototype = target.prototype as object;
    Column({ name: sourceColumn, type: 'integer' })(prototype, 'sourceId');
    Column({ name: chunkColumn, type: 'integer', default: 0 })(prototype, 'chunkIndex');
    ManyToOne(options.source, { onDelete: 'CASCADE', nullable: false })(prototype, 'source');
    JoinColumn({ name: sourceColumn, foreignKeyConstraintName: `fk_${table}_${sourceColumn}` })(prototype, 'source');
    Entity(table)(target);
    Unique(`uq_${table}_uuid`, ['uuid'])(target);
    // Deferrable in the migration, so that one statement can shift positions; TypeORM cannot read that back.
    Unique(`uq_${table}_chunk`, ['sourceId', 'embeddingType', 'chunkIndex'])(target);
    Check(`chk_${table}_embedding_type`, `embedding_type IN (${typeList})`)(target);
    Check(`chk_${table}_${chunkColumn}`, `${chunkColumn} >= 0`)(target);
    Check(
      `chk_${table}_offsets`,
      '(start_offset IS NULL AND end_offset IS NULL) OR (start_offset >= 0 AND end_offset >= start_offset)',
    )(target);
    Index(options.sourceIndex, ['sourceId'])(target);
    Index(`idx_${table}_qdrant_id`, ['qdrantPointId'], { unique: true })(target);
    Index(`idx_${table}_type`, ['embeddingType'])(target);
    ObjectType(options.typeName, {
      description: options.description,
      implements: [NodeInterface, EmbeddingRow, ...(options.implements ?? [])],
    })(target);
    setTypeName(target, options.typeName);
  };
}

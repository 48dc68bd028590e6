import { Field, Float, GraphQLISODateTime, ID, Int, ObjectType, registerEnumType } from 'type-graphql';

import { EmbeddingRow } from '../embedding/embedding-row';

@ObjectType({ description: 'Where a page of a connection lies.' })
export class PageInfo {
  @Field(() => Boolean)
  hasNextPage!: boolean;

  @Field(() => Boolean)
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true })
  startCursor!: string | null;

  @Field(() => String, { nullable: true })
  endCursor!: string | null;
}

@ObjectType({ description: 'Why a record was found: the chunk of its text that matched.' })
export class Evidence {
  @Field(() => EmbeddingRow)
  embedding!: EmbeddingRow;

  @Field(() => String, { description: 'The chunk’s text.' })
  text!: string;

  @Field(() => Int, { nullable: true })
  startOffset!: number | null;

  @Field(() => Int, { nullable: true })
  endOffset!: number | null;

  @Field(() => Float)
  score!: number;
}

export enum IndexingState {
  PENDING = 'PENDING',
  INDEXED = 'INDEXED',
  FAILED = 'FAILED',
}
registerEnumType(IndexingState, {
  name: 'IndexingState',
  description: 'The worst of a record’s embeddings: FAILED before PENDING before INDEXED.',
});

@ObjectType({ description: 'How far the vector side has followed a record.' })
export class IndexingStatus {
  @Field(() => IndexingState)
  state!: IndexingState;

  @Field(() => Int, { description: 'Embeddings not yet in Qdrant; includes a change not yet looked at.' })
  pending!: number;

  @Field(() => Int)
  indexed!: number;

  @Field(() => Int)
  failed!: number;

  @Field(() => String, { nullable: true })
  error!: string | null;

  @Field(() => GraphQLISODateTime, { nullable: true, description: 'When it took this state.' })
  since!: Date | null;
}

@ObjectType({ description: 'What was deleted.' })
export class DeletePayload {
  @Field(() => ID)
  deletedId!: string;

  @Field(() => String, { description: 'Pass it to `awaitSync` to search only once the points are gone.' })
  syncToken!: string;
}

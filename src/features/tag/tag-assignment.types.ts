import { Field, Float, GraphQLISODateTime, Int, ObjectType } from 'type-graphql';

import { TagSource, TagStatus } from './tag-assignment.entity';
import { TagConcept } from './tag-concept.entity';

@ObjectType()
abstract class AssignedTag {
  @Field(() => Float, {
    nullable: true,
    description: 'Cosine of text and tag, where it is known; of an implied tag, that of the tag which implies it.',
  })
  score!: number | null;

  @Field(() => TagSource)
  source!: TagSource;

  @Field(() => TagStatus)
  status!: TagStatus;

  @Field(() => Boolean, { description: 'Whether it is there only because a tag below it is.' })
  isImplied!: boolean;

  @Field(() => GraphQLISODateTime)
  createdAt!: Date;

  @Field(() => GraphQLISODateTime)
  updatedAt!: Date;

  @Field(() => String, { nullable: true, description: 'Who changed it last.' })
  updatedBy!: string | null;
}

@ObjectType({ description: 'A tag on one chunk.' })
export class ChunkTag extends AssignedTag {}

@ObjectType({ description: 'A tag on a chunk or a record.' })
export class RecordTag extends AssignedTag {}

@ObjectType({ description: 'A tag on a story, over all its chunks.' })
export class StoryTag {
  @Field(() => TagConcept)
  tag!: TagConcept;

  @Field(() => Int, { description: 'Chunks that carry it.' })
  chunkCount!: number;

  @Field(() => Float, { nullable: true, description: 'The best score of any chunk.' })
  score!: number | null;
}

import { Field, Float, GraphQLISODateTime, ID, InputType, Int, registerEnumType } from 'type-graphql';

import type { FilterType } from '../record/filter-fields';
import type { GraphQLTypeRef } from '../record/attribute';

export enum ArchivedFilter {
  EXCLUDE = 'EXCLUDE',
  INCLUDE = 'INCLUDE',
  ONLY = 'ONLY',
}
registerEnumType(ArchivedFilter, { name: 'ArchivedFilter', description: 'What to do with archived records.' });

export enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}
registerEnumType(OrderDirection, { name: 'OrderDirection', description: 'Absent values come last either way.' });

export enum SearchMode {
  SEMANTIC = 'SEMANTIC',
  LEXICAL = 'LEXICAL',
  HYBRID = 'HYBRID',
}
registerEnumType(SearchMode, {
  name: 'SearchMode',
  description: 'How texts are compared.',
  valuesConfig: {
    SEMANTIC: { description: 'By meaning: cosine similarity of dense vectors; scores from -1 to 1.' },
    LEXICAL: { description: 'By words: BM25 over sparse vectors; scores from 0 up.' },
    HYBRID: { description: 'By both, fused by reciprocal rank in Qdrant; scores rank, they are not similarities.' },
  },
});

export enum ExampleStrategy {
  AVERAGE_VECTOR = 'average_vector',
  BEST_SCORE = 'best_score',
  SUM_SCORES = 'sum_scores',
}
registerEnumType(ExampleStrategy, {
  name: 'ExampleStrategy',
  description: 'How several examples count together, as Qdrant’s recommend.',
});

@InputType({ description: 'Operators on a text; case counts.' })
export class StringFilter {
  @Field(() => String, { nullable: true })
  eq?: string | null;

  @Field(() => [String], { nullable: true })
  in?: string[] | null;

  @Field(() => Boolean, { nullable: true })
  isNull?: boolean | null;
}

@InputType({ description: 'Operators on a whole number.' })
export class IntFilter {
  @Field(() => Int, { nullable: true })
  eq?: number | null;

  @Field(() => [Int], { nullable: true })
  in?: number[] | null;

  @Field(() => Int, { nullable: true })
  gt?: number | null;

  @Field(() => Int, { nullable: true })
  gte?: number | null;

  @Field(() => Int, { nullable: true })
  lt?: number | null;

  @Field(() => Int, { nullable: true })
  lte?: number | null;

  @Field(() => Boolean, { nullable: true })
  isNull?: boolean | null;
}

@InputType({ description: 'Operators on a number.' })
export class FloatFilter {
  @Field(() => Float, { nullable: true })
  gt?: number | null;

  @Field(() => Float, { nullable: true })
  gte?: number | null;

  @Field(() => Float, { nullable: true })
  lt?: number | null;

  @Field(() => Float, { nullable: true })
  lte?: number | null;

  @Field(() => Boolean, { nullable: true })
  isNull?: boolean | null;
}

@InputType({ description: 'Operators on a truth value.' })
export class BooleanFilter {
  @Field(() => Boolean, { nullable: true })
  eq?: boolean | null;

  @Field(() => Boolean, { nullable: true })
  isNull?: boolean | null;
}

@InputType({ description: 'Operators on a point in time.' })
export class DateTimeFilter {
  @Field(() => GraphQLISODateTime, { nullable: true })
  gt?: Date | null;

  @Field(() => GraphQLISODateTime, { nullable: true })
  gte?: Date | null;

  @Field(() => GraphQLISODateTime, { nullable: true })
  lt?: Date | null;

  @Field(() => GraphQLISODateTime, { nullable: true })
  lte?: Date | null;

  @Field(() => Boolean, { nullable: true })
  isNull?: boolean | null;
}

@InputType({ description: 'Operators on a reference, by global id.' })
export class IdFilter {
  @Field(() => ID, { nullable: true })
  eq?: string | null;

  @Field(() => [ID], { nullable: true })
  in?: string[] | null;

  @Field(() => Boolean, { nullable: true })
  isNull?: boolean | null;
}

@InputType({ description: 'Operators on a list of texts; case does not count.' })
export class StringListFilter {
  @Field(() => String, { nullable: true, description: 'The list has this item.' })
  has?: string | null;

  @Field(() => [String], { nullable: true })
  hasAny?: string[] | null;

  @Field(() => [String], { nullable: true })
  hasAll?: string[] | null;

  @Field(() => Boolean, { nullable: true, description: 'The list is empty.' })
  isNull?: boolean | null;
}

const FILTER_TYPES: Record<FilterType, GraphQLTypeRef> = {
  string: StringFilter,
  integer: IntFilter,
  float: FloatFilter,
  boolean: BooleanFilter,
  datetime: DateTimeFilter,
  id: IdFilter,
  list: StringListFilter,
};

export const filterTypeOf = (type: FilterType): GraphQLTypeRef => FILTER_TYPES[type];

@InputType({ description: 'Stored records to be like, and to be unlike.' })
export class ExamplesInput {
  @Field(() => [ID])
  positive!: string[];

  @Field(() => [ID], { nullable: true })
  negative?: string[] | null;

  @Field(() => ExampleStrategy, { nullable: true, defaultValue: ExampleStrategy.BEST_SCORE })
  strategy?: ExampleStrategy | null;
}

@InputType({ description: 'A write to wait for before searching.' })
export class AwaitSyncInput {
  @Field(() => String, { description: 'The `syncToken` of a mutation.' })
  token!: string;

  @Field(() => Int, {
    nullable: true,
    defaultValue: 5000,
    description: 'Milliseconds, at most 60000; then SYNC_TIMEOUT.',
  })
  timeoutMs?: number | null;
}

@InputType({ description: 'What to look for: exactly one of text, vector, nodeId, examples.' })
export class SearchInput {
  @Field(() => String, { nullable: true })
  text?: string | null;

  @Field(() => [Float], { nullable: true, description: 'As long as the model’s vectors.' })
  vector?: number[] | null;

  @Field(() => ID, { nullable: true, description: 'Near a stored record of any embeddable type.' })
  nodeId?: string | null;

  @Field(() => ExamplesInput, { nullable: true })
  examples?: ExamplesInput | null;

  @Field(() => SearchMode, { nullable: true, description: 'The kind’s best by measurement unless given.' })
  mode?: SearchMode | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Texts to compare with, e.g. `summary`; the whole record’s unless given.',
  })
  embeddingTypes?: string[] | null;

  @Field(() => Float, { nullable: true, description: 'Only hits with a higher score, in the scale of the mode.' })
  minScore?: number | null;

  @Field(() => Float, {
    nullable: true,
    description: '0 to 1: how much to prefer hits unlike each other (MMR); SEMANTIC only.',
  })
  diversity?: number | null;

  @Field(() => AwaitSyncInput, { nullable: true })
  awaitSync?: AwaitSyncInput | null;
}

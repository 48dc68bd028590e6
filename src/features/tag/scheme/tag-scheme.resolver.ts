import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  Float,
  InputType,
  Int,
  Mutation,
  Query,
  registerEnumType,
  Resolver,
  Root,
} from 'type-graphql';

import type { GraphQLContext } from '../../../kernel/graphql/context';
import { requireRole } from '../../../kernel/graphql/require-role';
import { TagCategory, TagScheme } from '../tag-scheme.entity';
import { TagSchemeStore, type SchemeChanges } from './tag-scheme-store';

export enum TaggableKind {
  STORY = 'story',
  CONTENT_ITEM = 'content_item',
  JOB_DESCRIPTION = 'job_description',
}

registerEnumType(TaggableKind, {
  name: 'TaggableKind',
  description: 'What tags are put on.',
  valuesConfig: {
    STORY: { description: 'Each chunk of a story by itself.' },
    CONTENT_ITEM: { description: 'Content items as a whole, by the chunk that is nearest to the tag.' },
    JOB_DESCRIPTION: { description: 'Jobs as a whole, by the chunk that is nearest to the tag.' },
  },
});

@InputType({ description: 'What is left out stays; a new scheme has the defaults of `general`.' })
class TagSchemeInput {
  @Field(() => String, { nullable: true })
  description?: string | null;

  @Field(() => [TaggableKind], { nullable: true, description: 'What its tags are put on by themselves; may be empty.' })
  kinds?: TaggableKind[] | null;

  @Field(() => Float, { nullable: true, description: 'A cosine, -1 to 1.' })
  threshold?: number | null;

  @Field(() => Int, { nullable: true, description: '1 to 100.' })
  maxTags?: number | null;

  @Field(() => Boolean, { nullable: true })
  impliesParents?: boolean | null;
}

function changesOf(input: TagSchemeInput): SchemeChanges {
  return {
    description: input.description,
    kinds: input.kinds ?? undefined,
    threshold: input.threshold ?? undefined,
    maxTags: input.maxTags ?? undefined,
    impliesParents: input.impliesParents ?? undefined,
  };
}

@Resolver(() => TagScheme)
export class TagSchemeResolver {
  @Query(() => [TagScheme], { description: 'The vocabularies there are, with the rules that tags are suggested by.' })
  tagSchemes(@Ctx() context: GraphQLContext): Promise<TagScheme[]> {
    return new TagSchemeStore(context.services.database).all();
  }

  @FieldResolver(() => [TaggableKind], { description: 'What its tags are put on by themselves.' })
  kinds(@Root() scheme: TagScheme): string[] {
    return scheme.kinds;
  }

  @FieldResolver(() => [TagCategory], { description: 'Categories with a threshold of their own.' })
  categories(@Root() scheme: TagScheme, @Ctx() context: GraphQLContext): Promise<TagCategory[]> {
    return context.loaders.batch('tag:categories', scheme.name, (names: readonly string[]) =>
      new TagSchemeStore(context.services.database).categories(names),
    );
  }

  @Mutation(() => TagScheme, {
    description: 'Makes a scheme, or changes one: what its tags are on is then worked out anew, in the background.',
  })
  saveTagScheme(
    @Arg('name', () => String) name: string,
    @Arg('input', () => TagSchemeInput) input: TagSchemeInput,
    @Ctx() context: GraphQLContext,
  ): Promise<TagScheme> {
    requireRole(context, 'writer');
    return new TagSchemeStore(context.services.database).save(name, changesOf(input), context.actor);
  }

  @Mutation(() => Boolean, { description: 'Only a scheme without tags.' })
  async deleteTagScheme(@Arg('name', () => String) name: string, @Ctx() context: GraphQLContext): Promise<boolean> {
    requireRole(context, 'writer');
    await new TagSchemeStore(context.services.database).delete(name, context.actor);
    return true;
  }

  @Mutation(() => Boolean, { description: 'The threshold of a category; null: that of the scheme counts again.' })
  async setTagCategoryThreshold(
    @Arg('scheme', () => String) scheme: string,
    @Arg('category', () => String) category: string,
    @Arg('threshold', () => Float, { nullable: true }) threshold: number | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<boolean> {
    requireRole(context, 'writer');
    const store = new TagSchemeStore(context.services.database);
    await store.setCategoryThreshold(scheme, category, threshold ?? null, context.actor);
    return true;
  }
}

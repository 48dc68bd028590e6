import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { graphql } from 'graphql';
import {
  Arg,
  buildSchemaSync,
  Ctx,
  Field,
  FieldResolver,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
  UseMiddleware,
} from 'type-graphql';
import { callResolversDirectly } from '../../src/kernel/graphql/direct-resolvers';

@InputType()
class Shape {
  @Field(() => Int)
  side!: number;
}

@ObjectType()
class Square {
  @Field(() => Int)
  side!: number;
}

interface Context {
  unit: string;
  seen: string[];
}

@Resolver(() => Square)
class SquareResolver {
  private readonly calls = { count: 0 };

  @Query(() => Square)
  square(@Ctx() context: Context, @Arg('shape', () => Shape) shape: Shape): Square {
    context.seen.push(shape instanceof Shape ? 'instance' : 'plain');
    return { side: shape.side };
  }

  @Query(() => Int)
  @UseMiddleware(async ({ context }, next) => {
    (context as Context).seen.push('middleware');
    return next();
  })
  guarded(): number {
    return 1;
  }

  @Mutation(() => Int)
  count(): number {
    return ++this.calls.count;
  }

  @FieldResolver(() => String)
  area(
    @Arg('scale', () => Int, { defaultValue: 1 }) scale: number,
    @Root() root: Square,
    @Ctx() context: Context,
  ): string {
    return `${root.side * root.side * scale} ${context.unit}`;
  }
}

/** Has the same name as a query of the other, and belongs to another schema of this process. */
@Resolver()
class OtherResolver {
  @Query(() => Int, { name: 'guarded' })
  other(): number {
    return 2;
  }
}

function build(resolver: new () => object) {
  const schema = buildSchemaSync({ resolvers: [resolver], validate: false });
  callResolversDirectly(schema, [resolver]);
  return async (source: string) => {
    const contextValue: Context = { unit: 'm²', seen: [] };
    const answer = await graphql({ schema, source, contextValue });
    return { data: answer.data as unknown, errors: answer.errors, seen: contextValue.seen };
  };
}

describe('resolvers called directly', () => {
  const ask = build(SquareResolver);

  it('get their arguments, root and context in the order of their parameters', async () => {
    const answer = await ask('{ square(shape: { side: 3 }) { side area(scale: 2) plain: area } }');
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual({ square: { side: 3, area: '18 m²', plain: '9 m²' } });
    expect(answer.seen).toEqual(['plain']);
  });

  it('keep one instance', async () => {
    expect((await ask('mutation { first: count second: count }')).data).toEqual({ first: 1, second: 2 });
  });

  it('leave what has a middleware to type-graphql', async () => {
    const answer = await ask('{ guarded }');
    expect(answer.data).toEqual({ guarded: 1 });
    expect(answer.seen).toEqual(['middleware']);
  });

  it('are those of this schema, not of another one with the same field', async () => {
    expect((await build(OtherResolver)('{ guarded }')).data).toEqual({ guarded: 2 });
  });
});

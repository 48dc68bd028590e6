import { Arg, Field, Float, Int, ObjectType, Resolver, Root, Subscription } from 'type-graphql';

import { DomainError } from '../errors/domain-error';
import type { IndexingProgress, KindProgress } from '../outbox/indexing-progress';
import type { KindRegistry } from '../record/registry';
import type { GraphQLContext } from './context';
import { embeddableKindEnum } from './kind-enum';

type ResolverClass = new () => object;

interface ProgressArguments {
  kinds?: string[] | null;
  untilIdle?: boolean | null;
}

/** What is counted for one kind and for all alike. */
@ObjectType()
abstract class ProgressCounts {
  @Field(() => Int, { description: 'Changes of records not yet looked at.' })
  records!: number;

  @Field(() => Int, { description: 'Points to be written or deleted.' })
  pending!: number;

  @Field(() => Int, { description: 'Points that could not be made.' })
  failed!: number;

  @Field(() => Int, { description: 'Changes given up.' })
  dead!: number;

  @Field(() => Boolean, { description: 'Whether nothing is on its way; what was given up does not count.' })
  isIdle!: boolean;

  @Field(() => Float, { nullable: true, description: 'Age of the oldest change on its way.' })
  oldestPendingMs!: number | null;
}

/** The subscription that streams how far the vector side is. */
export function progressResolvers(registry: KindRegistry): ResolverClass[] {
  const kindEnum = embeddableKindEnum(registry);

  @ObjectType('KindProgress', { description: 'How far the vector side has followed one kind.' })
  class KindProgressType extends ProgressCounts implements Omit<KindProgress, 'pointEvents'> {
    @Field(() => kindEnum)
    kind!: string;
  }

  @ObjectType('IndexingProgress', { description: 'How far the vector side has followed what was written.' })
  class IndexingProgressType extends ProgressCounts implements Omit<IndexingProgress, 'pointEvents' | 'kinds'> {
    @Field(() => [KindProgressType])
    kinds!: KindProgressType[];
  }

  @Resolver()
  class ProgressResolver {
    @Subscription(() => IndexingProgressType, {
      description:
        'The progress at once, and again whenever it has changed, at most four times a second. Over WebSocket alone.',
      subscribe: ({ args, context }) => {
        const { kinds, untilIdle } = args as ProgressArguments;
        if (kinds?.length === 0) {
          throw new DomainError('BAD_INPUT', 'kinds: is empty; leave it out to watch every kind.', {
            details: { field: 'kinds' },
          });
        }
        const { progress } = (context as GraphQLContext).services;
        return progress.watch({ kinds: kinds ?? undefined, isUntilIdle: untilIdle ?? false });
      },
    })
    indexingProgress(
      @Root() progress: IndexingProgress,
      @Arg('kinds', () => [kindEnum], { nullable: true, description: 'All kinds unless given.' }) _kinds?: string[],
      @Arg('untilIdle', () => Boolean, {
        nullable: true,
        defaultValue: false,
        description: 'Whether to end once nothing is on its way.',
      })
      _untilIdle?: boolean,
    ): IndexingProgress {
      return progress;
    }
  }
  return [ProgressResolver];
}

import { Arg, Ctx, Field, Float, GraphQLISODateTime, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql';

import type { RepairPlan } from '../consistency/consistency-report';
import type { GraphQLContext } from './context';
import { requireRole } from './require-role';

@ObjectType({ description: 'How the two stores agree about one kind.' })
class KindConsistencyType {
  @Field(() => String)
  kind!: string;

  @Field(() => Int, { description: 'Rows of the embedding table.' })
  rows!: number;

  @Field(() => Int, { description: 'Points in Qdrant.' })
  points!: number;

  @Field(() => Int, { description: 'Rows whose point Qdrant has lost.' })
  missing!: number;

  @Field(() => Int, { description: 'Points, or entries of the ledger of points, without a row.' })
  orphaned!: number;

  @Field(() => Int, { description: 'Points whose vector is of another text than the row.' })
  staleText!: number;

  @Field(() => Int, { description: 'Points whose payload differs from the record.' })
  stalePayload!: number;

  @Field(() => Int, { description: 'Points made by a model that is not the live one.' })
  wrongModel!: number;

  @Field(() => Int, { description: 'Rows that the ledger of points does not know.' })
  unregistered!: number;

  @Field(() => Int, { description: 'Points that are not indexed, and no event that would change that.' })
  unqueued!: number;

  @Field(() => Int, { description: 'Chunks of records’ texts that have no row.' })
  missingRows!: number;

  @Field(() => Int, {
    description: 'Rows with another text or place than the record gives them, or for no chunk at all.',
  })
  staleRows!: number;

  @Field(() => Int, { description: 'Changes on their way.' })
  pending!: number;

  @Field(() => Int, { description: 'Changes given up.' })
  dead!: number;

  @Field(() => Float, { nullable: true })
  oldestPendingMs!: number | null;
}

@ObjectType('ConsistencyReport', {
  description: 'How records, embedding rows and points agree. `drift` is 0, or something is wrong.',
})
class ConsistencyReportType {
  @Field(() => Int, { description: 'Points and rows that are not as they should be while nothing is on its way.' })
  drift!: number;

  @Field(() => [KindConsistencyType])
  kinds!: KindConsistencyType[];

  @Field(() => [String], {
    description:
      'Capture triggers that are missing, disabled or altered, so that changes may pass unnoticed. Empty when all is well.',
  })
  captureProblems!: string[];

  @Field(() => GraphQLISODateTime)
  checkedAt!: Date;
}

@ObjectType('RepairPlan', { description: 'What a repair does about one kind.' })
class RepairPlanType implements RepairPlan {
  @Field(() => String)
  kind!: string;

  @Field(() => Int, { description: 'Records rendered again; their rows, and the points of those, follow.' })
  records!: number;

  @Field(() => Int, { description: 'Points written anew: embedded, unless another point has the vector.' })
  writes!: number;

  @Field(() => Int, { description: 'Points whose payload is replaced; nothing is embedded.' })
  payloads!: number;

  @Field(() => Int, { description: 'Points deleted.' })
  deletions!: number;
}

@ObjectType({ description: 'What a repair found and queued.' })
class RepairPayload {
  @Field(() => ConsistencyReportType, { description: 'What was found.' })
  report!: ConsistencyReportType;

  @Field(() => [RepairPlanType], { description: 'What is done about it; kinds without drift are left out.' })
  plan!: RepairPlanType[];

  @Field(() => Int, { description: 'Records and points queued to be put right; 0 for a dry run.' })
  queued!: number;
}

@Resolver()
export class ConsistencyResolver {
  @Query(() => ConsistencyReportType, {
    description: 'Reads both stores completely; takes a while when they are large.',
  })
  consistency(@Ctx() context: GraphQLContext): Promise<ConsistencyReportType> {
    requireRole(context, 'admin');
    return context.services.consistency.check({ maxDrifts: 0 });
  }

  @Mutation(() => RepairPayload, { description: 'Queues everything that is not as it should be to be put right.' })
  async repairConsistency(
    @Arg('dryRun', () => Boolean, { nullable: true, defaultValue: false }) dryRun: boolean | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<RepairPayload> {
    requireRole(context, 'admin');
    const { findings, plan, queued } = await context.services.consistency.repair({
      isDryRun: dryRun ?? false,
      maxDrifts: 0,
    });
    return { report: findings, plan, queued };
  }
}

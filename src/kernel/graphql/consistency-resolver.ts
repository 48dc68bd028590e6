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

  @Field(() => Int, { description: 'Points without a row.' })
  orphaned!: number;

  @Field(() => Int, { description: 'Points whose vector is of another text.' })
  staleText!: number;

  @Field(() => Int, { description: 'Points whose payload differs from the record.' })
  stalePayload!: number;

  @Field(() => Int, { description: 'Points made by a model that is not the live one.' })
  wrongModel!: number;

  @Field(() => Int, { description: 'Rows that the ledger of points does not know.' })
  unregistered!: number;

  @Field(() => Int, { description: 'Changes on their way.' })
  pending!: number;

  @Field(() => Int, { description: 'Changes given up.' })
  dead!: number;

  @Field(() => Float, { nullable: true })
  oldestPendingMs!: number | null;
}

@ObjectType('ConsistencyReport', {
  description: 'How PostgreSQL and Qdrant agree. `drift` is 0, or something is wrong.',
})
class ConsistencyReportType {
  @Field(() => Int, { description: 'Points about which the stores disagree while nothing is on its way.' })
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

@ObjectType('RepairPlan', { description: 'What a repair does to the points of one kind.' })
class RepairPlanType implements RepairPlan {
  @Field(() => String)
  kind!: string;

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

  @Field(() => Int, { description: 'Points queued to be put right; 0 for a dry run.' })
  queued!: number;
}

@Resolver()
export class ConsistencyResolver {
  @Query(() => ConsistencyReportType, {
    description: 'Reads both stores completely; takes a while when they are large.',
  })
  consistency(@Ctx() context: GraphQLContext): Promise<ConsistencyReportType> {
    requireRole(context, 'admin');
    return context.services.consistency.check();
  }

  @Mutation(() => RepairPayload, { description: 'Queues every point about which the stores disagree to be put right.' })
  async repairConsistency(
    @Arg('dryRun', () => Boolean, { nullable: true, defaultValue: false }) dryRun: boolean | null | undefined,
    @Ctx() context: GraphQLContext,
  ): Promise<RepairPayload> {
    requireRole(context, 'admin');
    const { findings, plan, queued } = await context.services.consistency.repair({ isDryRun: dryRun ?? false });
    return { report: findings, plan, queued };
  }
}

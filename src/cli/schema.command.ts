import type { Command } from 'commander';
import { lexicographicSortSchema, printSchema } from 'graphql';

import { buildKindredSchema } from '../app/schema';

export function addSchemaCommand(program: Command): void {
  program
    .command('schema')
    .description('Print the GraphQL schema.')
    .action(() => {
      console.log(printSchema(lexicographicSortSchema(buildKindredSchema())));
    });
}

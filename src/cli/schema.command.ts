import type { Command } from 'commander';
import { printSchema } from 'graphql';

import { buildKindredSchema } from '../app/schema';

export function addSchemaCommand(program: Command): void {
  program
    .command('schema')
    .description('Print the GraphQL schema, in the words and the order of schema.graphql.')
    .action(() => {
      console.log(printSchema(buildKindredSchema()));
    });
}

import fs from 'node:fs';
import path from 'node:path';
import { pendingChanges } from './pending-changes';
import { withEmptyDatabase } from './migrated-database';

/**
 * Writes the migration that the entities and specs ask for: `npm run migration:new -- add-books`.
 * What it writes is a draft to be read: TypeORM drops and adds where it could rename, and knows no data.
 */
function source(className: string, timestamp: number, up: string[], down: string[]): string {
  const statements = (queries: string[]): string =>
    queries.map((query) => `    await queryRunner.query(\`${query.replace(/[\\`]|\$\{/g, '\\$&')}\`);`).join('\n');
  return `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ${className}${timestamp} implements MigrationInterface {
  name = '${className}${timestamp}';

  async up(queryRunner: QueryRunner): Promise<void> {
${statements(up)}
  }

  async down(queryRunner: QueryRunner): Promise<void> {
${statements(down)}
  }
}
`;
}

async function main(): Promise<void> {
  const name = process.argv[2] ?? '';
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new Error('Name the migration in lower case with hyphens: npm run migration:new -- add-books');
  }
  const changes = await withEmptyDatabase(async (dataSource) => {
    await dataSource.runMigrations();
    return pendingChanges(dataSource);
  });
  if (changes.up.length === 0) {
    console.log('The migrations already make everything that the entities and specs ask for.');
    return;
  }
  const className = name.replace(/(^|-)(.)/g, (_, _hyphen, letter: string) => letter.toUpperCase());
  const timestamp = Date.now();
  const file = path.join('migrations', `${timestamp}-${name}.ts`);
  fs.writeFileSync(file, source(className, timestamp, changes.up, changes.down));
  console.log(`${file} written: read it, then run \`npm run fix:format\` and \`npm run check:migrations\`.`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

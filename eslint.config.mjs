import tseslint from 'typescript-eslint';

const processEnvironment = {
  object: 'process',
  property: 'env',
  message: 'Read settings from src/config/environment.ts: it validates them and documents their names.',
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', '.kindred/', '**/generated/', '**/assembly/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-require-imports': 'error',
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-restricted-properties': ['error', processEnvironment],
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  {
    // Settings are read in one place; what is not the program itself may look around.
    files: ['src/config/**', 'test/**', 'bench/**', 'scripts/**', 'examples/**', '*.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: [
      'src/cli.ts',
      'src/cli/**',
      'bench/**',
      'scripts/**',
      'examples/**',
      'test/browser/**',
      'test/chaos/run.ts',
      '*.ts',
    ],
    rules: { 'no-console': 'off' },
  },
);

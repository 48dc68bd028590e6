// Compiles the SIMD kernel of the embedded vector server and writes, or with --check compares, the committed module.
// The build itself needs no compiler: only whoever edits kernel.as runs this.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('../src/adapters/embedded-qdrant/simd/', import.meta.url));
const target = path.join(folder, 'kernel.wasm.ts');
const scratch = await mkdtemp(path.join(os.tmpdir(), 'kernel-'));
try {
  const wasm = path.join(scratch, 'kernel.wasm');
  const text = await readFile(path.join(folder, 'kernel.as'), 'utf8');
  const { error, stderr } = await asc.main(
    ['kernel.ts', '--outFile', wasm, '--runtime', 'stub', '--importMemory', '--noAssert', '-O3', '--enable', 'simd'],
    // The source has a name of its own, so that no TypeScript tool takes it for TypeScript.
    { readFile: (name) => (name === 'kernel.ts' ? text : null) },
  );
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  const base64 = (await readFile(wasm)).toString('base64').replace(/.{1,100}/g, "  '$&',\n");
  const source = `// Generated from kernel.as by \`npm run fix:wasm\`. Do not edit.\nexport const KERNEL_BASE64 = [\n${base64}].join('');\n`;
  if (process.argv.includes('--check')) {
    const committed = await readFile(target, 'utf8').catch(() => '');
    if (committed !== source) {
      console.error('kernel.wasm.ts does not belong to kernel.as: run `npm run fix:wasm` and commit the result.');
      process.exitCode = 1;
    }
  } else {
    await writeFile(target, source);
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}

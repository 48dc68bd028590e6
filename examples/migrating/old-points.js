// @ts-check
'use strict';

/**
 * Makes the old program's collection with seven of its eight points: `QDRANT_URL=… node old-points.js`, and
 * `QDRANT_API_KEY` where the server wants one. What their vectors are does not matter here.
 */
const DIMENSIONS = 384;
const POINTS = 7;
const { QDRANT_URL = 'http://127.0.0.1:6333', QDRANT_API_KEY = '' } = process.env;

/**
 * @param {string} path
 * @param {object} body
 */
async function put(path, body) {
  const response = await fetch(`${QDRANT_URL}/collections/app_vectors${path}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'api-key': QDRANT_API_KEY },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
}

async function main() {
  await put('', { vectors: { size: DIMENSIONS, distance: 'Cosine' } });
  const points = Array.from({ length: POINTS }, (_, i) => ({
    id: `00000000-0000-4000-8000-00000000000${i + 1}`,
    vector: Array.from({ length: DIMENSIONS }, (__, n) => Math.sin(i + n)),
    payload: {},
  }));
  await put('/points?wait=true', { points });
}

main().catch((/** @type {unknown} */ error) => {
  console.error(error);
  process.exitCode = 1;
});

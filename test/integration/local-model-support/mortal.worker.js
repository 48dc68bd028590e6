'use strict';
// Stands in for the model's thread: answers every text with zeros, and dies when asked to.
const { parentPort, workerData } = require('node:worker_threads');

parentPort.on('message', (message) => {
  if (message.kind === 'close') parentPort.close();
  if (message.kind !== 'embed') return;
  if (message.texts.includes('throw')) throw new Error('out of memory');
  if (message.texts.includes('exit')) process.exit(7);
  if (message.texts.includes('wait')) return;
  const vectors = new Float32Array(message.texts.length * workerData.manifest.dimensions);
  parentPort.postMessage({ kind: 'embedded', id: message.id, vectors }, [vectors.buffer]);
});
parentPort.postMessage({ kind: 'loaded' });

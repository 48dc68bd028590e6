import { ModelUnavailableError } from '../../kernel/model/embedder';

/** Where two vectors of one model can differ in the answer: as base64 of little-endian floats, or as numbers. */
type WireVector = unknown;

/**
 * Reads the vectors out of an embeddings answer, trusting nothing in it.
 * @returns one L2-normalised vector per input, in the order of the inputs whatever order the answer has
 * @throws ModelUnavailableError the answer has another shape, count, length, or values that are no numbers
 */
export function readEmbeddings(answer: unknown, inputs: number, dimensions: number): Float32Array[] {
  const data = (answer as { data?: unknown } | null | undefined)?.data;
  if (!Array.isArray(data)) throw wrongAnswer('it has no list named "data"');
  if (data.length !== inputs) throw wrongAnswer(`it has ${data.length} vectors for ${inputs} texts`);
  const vectors: (Float32Array | undefined)[] = new Array<undefined>(inputs).fill(undefined);
  data.forEach((item: unknown, position) => {
    const { index = position, embedding } = (item ?? {}) as { index?: unknown; embedding?: WireVector };
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= inputs) {
      throw wrongAnswer(`vector ${position} says that its index is ${String(index)}; it should be 0 to ${inputs - 1}`);
    }
    if (vectors[index] !== undefined) throw wrongAnswer(`two vectors say that their index is ${index}`);
    vectors[index] = readVector(embedding, index, dimensions);
  });
  return vectors as Float32Array[];
}

function readVector(wire: WireVector, index: number, dimensions: number): Float32Array {
  const vector = decode(wire, index);
  if (vector.length !== dimensions) {
    throw wrongAnswer(
      `vector ${index} has ${vector.length} dimensions, expected ${dimensions}; ` +
        'set KINDRED_EMBEDDING_DIMENSIONS to what the model gives, or choose another KINDRED_EMBEDDING_MODEL',
    );
  }
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  if (!Number.isFinite(length)) throw wrongAnswer(`vector ${index} holds a value that is not a finite number`);
  if (length === 0) throw wrongAnswer(`vector ${index} is all zeros, which has no direction`);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) / length;
  return vector;
}

function decode(wire: WireVector, index: number): Float32Array {
  if (typeof wire === 'string') {
    const bytes = Buffer.from(wire, 'base64');
    if (bytes.length % 4 !== 0) throw wrongAnswer(`vector ${index} is not base64 of 32-bit floats`);
    const vector = new Float32Array(bytes.length / 4);
    for (let i = 0; i < vector.length; i++) vector[i] = bytes.readFloatLE(i * 4);
    return vector;
  }
  if (Array.isArray(wire)) {
    if (!wire.every((value) => typeof value === 'number')) {
      throw wrongAnswer(`vector ${index} holds a value that is not a finite number`);
    }
    return Float32Array.from(wire);
  }
  throw wrongAnswer(`vector ${index} is neither base64 nor a list of numbers`);
}

function wrongAnswer(what: string): ModelUnavailableError {
  return new ModelUnavailableError(`The embedding endpoint gave an unusable answer: ${what}`);
}

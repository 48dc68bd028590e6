/** A refusal in Qdrant's own words: the HTTP status and the text that stands in `status.error`. */
export class QdrantError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'QdrantError';
  }
}

/** 400: the request is well-formed and cannot be carried out. */
export const badInput = (message: string): QdrantError => new QdrantError(400, `Wrong input: ${message}`);

/** 400: a value has the wrong JSON type or shape. */
export const badFormat = (at: string, message: string): QdrantError =>
  new QdrantError(400, `Format error in JSON body: ${at === '' ? '' : `${at}: `}${message}`);

/** 422: a value has the right type and is out of range, or a key is not part of the API. */
export const invalid = (at: string, message: string): QdrantError =>
  new QdrantError(422, `Validation error in JSON body: [${at === '' ? '' : `${at}: `}${message}]`);

/** 404 */
export const notFound = (message: string): QdrantError => new QdrantError(404, `Not found: ${message}`);

export const collectionNotFound = (name: string): QdrantError => notFound(`Collection \`${name}\` doesn't exist!`);

/** 501: Qdrant knows this and the embedded server does not do it. Better no answer than a wrong one. */
export const unsupported = (feature: string): QdrantError =>
  new QdrantError(501, `Not implemented in the embedded server: ${feature}`);

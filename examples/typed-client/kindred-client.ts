import type { TypedDocumentString } from '../generated/graphql';

interface GraphQLAnswer<TResult> {
  data?: TResult | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** An answer with errors. `code` is one of the codes that docs/api.md lists. */
export class KindredError extends Error {
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
    this.name = 'KindredError';
  }
}

/** All that a client needs: the operation's text and variables by POST, and the types that the generator made for it. */
export class KindredClient {
  constructor(
    private readonly url: string,
    private readonly apiKey?: string,
  ) {}

  /** @throws KindredError when the answer has errors; a TypeError of `fetch` when there is no answer */
  async run<TResult, TVariables>(
    operation: TypedDocumentString<TResult, TVariables>,
    ...[variables]: TVariables extends Record<string, never> ? [] : [TVariables]
  ): Promise<TResult> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(this.apiKey === undefined ? {} : { 'x-api-key': this.apiKey }),
      },
      body: JSON.stringify({ query: operation.toString(), variables }),
    });
    const { data, errors } = (await response.json()) as GraphQLAnswer<TResult>;
    const [error] = errors ?? [];
    if (error) throw new KindredError(error.message, error.extensions?.code ?? 'UNKNOWN');
    if (!data) throw new KindredError(`Status ${response.status} without data`, 'UNKNOWN');
    return data;
  }
}

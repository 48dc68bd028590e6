export interface GraphQLAnswer<Data> {
  status: number;
  data?: Data | null;
  errors?: { message: string; extensions: { code: string; [field: string]: unknown } }[];
}

/** Sends one operation as any client does. */
export async function post<Data>(
  url: string,
  query: string,
  variables: object = {},
  headers: Record<string, string> = {},
): Promise<GraphQLAnswer<Data>> {
  return send<Data>(url, JSON.stringify({ query, variables }), headers);
}

/** Sends a body as it is. */
export async function send<Data>(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<GraphQLAnswer<Data>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, ...((await response.json()) as object) };
}

/** The data of an operation that must succeed. */
export async function ask<Data>(url: string, query: string, variables: object = {}): Promise<Data> {
  const { data, errors } = await post<Data>(url, query, variables);
  if (errors !== undefined || data == null) throw new Error(`the query failed: ${JSON.stringify(errors)}`);
  return data;
}

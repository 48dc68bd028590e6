/** Asks the GraphQL API. */
export type Ask = <T>(query: string, variables: Record<string, unknown>) => Promise<T>;

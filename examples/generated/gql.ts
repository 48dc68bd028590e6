/* eslint-disable */
import * as types from './graphql';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  mutation ExampleCreate($input: CreateProfileInput!) {\n    createProfile(input: $input) {\n      profile {\n        id\n      }\n      syncToken\n    }\n  }\n": typeof types.ExampleCreateDocument,
    "\n  query ExampleFind($query: SearchInput!) {\n    searchJobs(query: $query, first: 3) {\n      edges {\n        score\n        node {\n          title\n          company\n        }\n        evidence {\n          text\n        }\n      }\n    }\n  }\n": typeof types.ExampleFindDocument,
    "\n  mutation ExampleDelete($id: ID!) {\n    deleteProfile(id: $id) {\n      deletedId\n    }\n  }\n": typeof types.ExampleDeleteDocument,
};
const documents: Documents = {
    "\n  mutation ExampleCreate($input: CreateProfileInput!) {\n    createProfile(input: $input) {\n      profile {\n        id\n      }\n      syncToken\n    }\n  }\n": types.ExampleCreateDocument,
    "\n  query ExampleFind($query: SearchInput!) {\n    searchJobs(query: $query, first: 3) {\n      edges {\n        score\n        node {\n          title\n          company\n        }\n        evidence {\n          text\n        }\n      }\n    }\n  }\n": types.ExampleFindDocument,
    "\n  mutation ExampleDelete($id: ID!) {\n    deleteProfile(id: $id) {\n      deletedId\n    }\n  }\n": types.ExampleDeleteDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ExampleCreate($input: CreateProfileInput!) {\n    createProfile(input: $input) {\n      profile {\n        id\n      }\n      syncToken\n    }\n  }\n"): typeof import('./graphql').ExampleCreateDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ExampleFind($query: SearchInput!) {\n    searchJobs(query: $query, first: 3) {\n      edges {\n        score\n        node {\n          title\n          company\n        }\n        evidence {\n          text\n        }\n      }\n    }\n  }\n"): typeof import('./graphql').ExampleFindDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ExampleDelete($id: ID!) {\n    deleteProfile(id: $id) {\n      deletedId\n    }\n  }\n"): typeof import('./graphql').ExampleDeleteDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

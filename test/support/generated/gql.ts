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
    "\n  query JobPage($first: Int, $after: String, $last: Int, $before: String, $orderBy: JobOrder, $filter: JobFilter) {\n    jobs(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {\n      totalCount\n      nodes {\n        title\n      }\n      edges {\n        cursor\n        node {\n          title\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        startCursor\n        endCursor\n      }\n    }\n  }\n": typeof types.JobPageDocument,
    "\n      query ResumesOf($id: ID!, $first: Int, $after: String) {\n        profile(id: $id) {\n          resumes(first: $first, after: $after) {\n            totalCount\n            nodes {\n              title\n            }\n            pageInfo {\n              hasNextPage\n              hasPreviousPage\n              endCursor\n            }\n          }\n        }\n      }\n    ": typeof types.ResumesOfDocument,
    "\n  query JobsBoth($filter: JobFilter) {\n    list: jobs(first: 200, filter: $filter) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n    found: searchJobs(query: { text: \"work\", mode: SEMANTIC }, filter: $filter, first: 100) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n  }\n": typeof types.JobsBothDocument,
    "\n  query ProfilesBoth($filter: ProfileFilter) {\n    list: profiles(first: 200, filter: $filter) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n    found: searchProfiles(query: { text: \"work\", mode: SEMANTIC }, filter: $filter, first: 100) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n  }\n": typeof types.ProfilesBothDocument,
    "\n  query SkillsBoth($filter: SkillFilter) {\n    list: skills(first: 200, filter: $filter) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n    found: searchSkills(query: { text: \"work\", mode: SEMANTIC }, filter: $filter, first: 100) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n  }\n": typeof types.SkillsBothDocument,
    "\n  mutation CreateProfile($input: CreateProfileInput!) {\n    createProfile(input: $input) {\n      syncToken\n      profile {\n        id\n        externalId\n        name\n        headline\n        createdBy\n        updatedBy\n        createdAt\n        updatedAt\n        workExperiences {\n          title\n          company\n          position\n          skillsUsed\n          createdBy\n        }\n        projects {\n          name\n          technologies\n        }\n        educations {\n          institution\n        }\n        skills {\n          id\n          name\n          position\n        }\n      }\n    }\n  }\n": typeof types.CreateProfileDocument,
    "\n    mutation CreateTag($input: CreateTagInput!) {\n      createTag(input: $input) {\n        tag {\n          id\n          name\n        }\n      }\n    }\n  ": typeof types.CreateTagDocument,
    "\n    query TagFamily($name: String!) {\n      tag(name: $name) {\n        name\n        parent {\n          name\n        }\n        children {\n          name\n        }\n        ancestors {\n          name\n        }\n        descendants {\n          name\n        }\n      }\n    }\n  ": typeof types.TagFamilyDocument,
    "\n  mutation RenameSkill($id: ID!) {\n    updateSkill(id: $id, input: { name: \"Sailing\" }) {\n      syncToken\n      skill {\n        name\n      }\n    }\n  }\n": typeof types.RenameSkillDocument,
    "\n  mutation HideSkill($id: ID!) {\n    archiveSkill(id: $id) {\n      skill {\n        name\n        archivedAt\n      }\n    }\n  }\n": typeof types.HideSkillDocument,
    "\n  query Nested($first: Int!) {\n    profiles(first: $first) {\n      nodes {\n        id\n        name\n        embeddings {\n          embeddingType\n          text\n          status\n          model {\n            name\n          }\n        }\n        skills {\n          name\n        }\n        workExperiences {\n          title\n          embeddings {\n            text\n          }\n        }\n        matchingJobs(first: 5) {\n          edges {\n            score\n            node {\n              title\n            }\n            evidence {\n              text\n              score\n              embedding {\n                id\n                vector\n              }\n            }\n          }\n        }\n      }\n    }\n  }\n": typeof types.NestedDocument,
    "\n  mutation MakeStory($input: CreateStoryInput!) {\n    createStory(input: $input) {\n      syncToken\n    }\n  }\n": typeof types.MakeStoryDocument,
    "\n  query FindStories($token: String!) {\n    searchStories(query: { text: \"raven\", awaitSync: { token: $token } }) {\n      nodes {\n        title\n      }\n    }\n  }\n": typeof types.FindStoriesDocument,
    "\n  mutation MakeProfile($input: CreateProfileInput!) {\n    createProfile(input: $input) {\n      syncToken\n      profile {\n        id\n        indexing {\n          state\n          pending\n          failed\n        }\n      }\n    }\n  }\n": typeof types.MakeProfileDocument,
    "\n  mutation ChangeProfile($id: ID!, $input: UpdateProfileInput!) {\n    updateProfile(id: $id, input: $input) {\n      syncToken\n    }\n  }\n": typeof types.ChangeProfileDocument,
    "\n  mutation RemoveProfile($id: ID!) {\n    deleteProfile(id: $id) {\n      syncToken\n    }\n  }\n": typeof types.RemoveProfileDocument,
    "\n  query FindProfiles($query: SearchInput!, $first: Int, $filter: ProfileFilter) {\n    searchProfiles(query: $query, first: $first, filter: $filter) {\n      nodes {\n        name\n        indexing {\n          state\n          pending\n          indexed\n        }\n      }\n      pageInfo {\n        hasNextPage\n      }\n    }\n  }\n": typeof types.FindProfilesDocument,
    "\n  query FindSkills($text: String!) {\n    searchSkills(query: { text: $text }) {\n      nodes {\n        name\n      }\n    }\n  }\n": typeof types.FindSkillsDocument,
    "\n      query Passages($after: String) {\n        searchStoryChunks(query: { text: \"raven\", mode: SEMANTIC }, first: 3, after: $after) {\n          nodes {\n            paragraphIndex\n          }\n          pageInfo {\n            hasNextPage\n            endCursor\n          }\n        }\n      }\n    ": typeof types.PassagesDocument,
    "\n  query SearchJobs($query: SearchInput!, $first: Int, $after: String, $filter: JobFilter) {\n    searchJobs(query: $query, first: $first, after: $after, filter: $filter) {\n      totalCount\n      nodes {\n        title\n      }\n      edges {\n        score\n        cursor\n        node {\n          id\n          title\n        }\n        evidence(first: 5) {\n          text\n          score\n          startOffset\n          endOffset\n          embedding {\n            id\n            embeddingType\n            chunkIndex\n          }\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        startCursor\n        endCursor\n      }\n    }\n  }\n": typeof types.SearchJobsDocument,
    "\n    query Across($kinds: [EmbeddableKind!], $first: Int, $after: String) {\n      search(query: { text: \"welder near Bergen\" }, kinds: $kinds, first: $first, after: $after) {\n        totalCount\n        nodes {\n          __typename\n        }\n        edges {\n          score\n          evidence {\n            text\n          }\n          node {\n            id\n            ... on Profile {\n              name\n            }\n            ... on JobDescription {\n              title\n            }\n          }\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  ": typeof types.AcrossDocument,
};
const documents: Documents = {
    "\n  query JobPage($first: Int, $after: String, $last: Int, $before: String, $orderBy: JobOrder, $filter: JobFilter) {\n    jobs(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {\n      totalCount\n      nodes {\n        title\n      }\n      edges {\n        cursor\n        node {\n          title\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        startCursor\n        endCursor\n      }\n    }\n  }\n": types.JobPageDocument,
    "\n      query ResumesOf($id: ID!, $first: Int, $after: String) {\n        profile(id: $id) {\n          resumes(first: $first, after: $after) {\n            totalCount\n            nodes {\n              title\n            }\n            pageInfo {\n              hasNextPage\n              hasPreviousPage\n              endCursor\n            }\n          }\n        }\n      }\n    ": types.ResumesOfDocument,
    "\n  query JobsBoth($filter: JobFilter) {\n    list: jobs(first: 200, filter: $filter) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n    found: searchJobs(query: { text: \"work\", mode: SEMANTIC }, filter: $filter, first: 100) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n  }\n": types.JobsBothDocument,
    "\n  query ProfilesBoth($filter: ProfileFilter) {\n    list: profiles(first: 200, filter: $filter) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n    found: searchProfiles(query: { text: \"work\", mode: SEMANTIC }, filter: $filter, first: 100) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n  }\n": types.ProfilesBothDocument,
    "\n  query SkillsBoth($filter: SkillFilter) {\n    list: skills(first: 200, filter: $filter) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n    found: searchSkills(query: { text: \"work\", mode: SEMANTIC }, filter: $filter, first: 100) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n  }\n": types.SkillsBothDocument,
    "\n  mutation CreateProfile($input: CreateProfileInput!) {\n    createProfile(input: $input) {\n      syncToken\n      profile {\n        id\n        externalId\n        name\n        headline\n        createdBy\n        updatedBy\n        createdAt\n        updatedAt\n        workExperiences {\n          title\n          company\n          position\n          skillsUsed\n          createdBy\n        }\n        projects {\n          name\n          technologies\n        }\n        educations {\n          institution\n        }\n        skills {\n          id\n          name\n          position\n        }\n      }\n    }\n  }\n": types.CreateProfileDocument,
    "\n    mutation CreateTag($input: CreateTagInput!) {\n      createTag(input: $input) {\n        tag {\n          id\n          name\n        }\n      }\n    }\n  ": types.CreateTagDocument,
    "\n    query TagFamily($name: String!) {\n      tag(name: $name) {\n        name\n        parent {\n          name\n        }\n        children {\n          name\n        }\n        ancestors {\n          name\n        }\n        descendants {\n          name\n        }\n      }\n    }\n  ": types.TagFamilyDocument,
    "\n  mutation RenameSkill($id: ID!) {\n    updateSkill(id: $id, input: { name: \"Sailing\" }) {\n      syncToken\n      skill {\n        name\n      }\n    }\n  }\n": types.RenameSkillDocument,
    "\n  mutation HideSkill($id: ID!) {\n    archiveSkill(id: $id) {\n      skill {\n        name\n        archivedAt\n      }\n    }\n  }\n": types.HideSkillDocument,
    "\n  query Nested($first: Int!) {\n    profiles(first: $first) {\n      nodes {\n        id\n        name\n        embeddings {\n          embeddingType\n          text\n          status\n          model {\n            name\n          }\n        }\n        skills {\n          name\n        }\n        workExperiences {\n          title\n          embeddings {\n            text\n          }\n        }\n        matchingJobs(first: 5) {\n          edges {\n            score\n            node {\n              title\n            }\n            evidence {\n              text\n              score\n              embedding {\n                id\n                vector\n              }\n            }\n          }\n        }\n      }\n    }\n  }\n": types.NestedDocument,
    "\n  mutation MakeStory($input: CreateStoryInput!) {\n    createStory(input: $input) {\n      syncToken\n    }\n  }\n": types.MakeStoryDocument,
    "\n  query FindStories($token: String!) {\n    searchStories(query: { text: \"raven\", awaitSync: { token: $token } }) {\n      nodes {\n        title\n      }\n    }\n  }\n": types.FindStoriesDocument,
    "\n  mutation MakeProfile($input: CreateProfileInput!) {\n    createProfile(input: $input) {\n      syncToken\n      profile {\n        id\n        indexing {\n          state\n          pending\n          failed\n        }\n      }\n    }\n  }\n": types.MakeProfileDocument,
    "\n  mutation ChangeProfile($id: ID!, $input: UpdateProfileInput!) {\n    updateProfile(id: $id, input: $input) {\n      syncToken\n    }\n  }\n": types.ChangeProfileDocument,
    "\n  mutation RemoveProfile($id: ID!) {\n    deleteProfile(id: $id) {\n      syncToken\n    }\n  }\n": types.RemoveProfileDocument,
    "\n  query FindProfiles($query: SearchInput!, $first: Int, $filter: ProfileFilter) {\n    searchProfiles(query: $query, first: $first, filter: $filter) {\n      nodes {\n        name\n        indexing {\n          state\n          pending\n          indexed\n        }\n      }\n      pageInfo {\n        hasNextPage\n      }\n    }\n  }\n": types.FindProfilesDocument,
    "\n  query FindSkills($text: String!) {\n    searchSkills(query: { text: $text }) {\n      nodes {\n        name\n      }\n    }\n  }\n": types.FindSkillsDocument,
    "\n      query Passages($after: String) {\n        searchStoryChunks(query: { text: \"raven\", mode: SEMANTIC }, first: 3, after: $after) {\n          nodes {\n            paragraphIndex\n          }\n          pageInfo {\n            hasNextPage\n            endCursor\n          }\n        }\n      }\n    ": types.PassagesDocument,
    "\n  query SearchJobs($query: SearchInput!, $first: Int, $after: String, $filter: JobFilter) {\n    searchJobs(query: $query, first: $first, after: $after, filter: $filter) {\n      totalCount\n      nodes {\n        title\n      }\n      edges {\n        score\n        cursor\n        node {\n          id\n          title\n        }\n        evidence(first: 5) {\n          text\n          score\n          startOffset\n          endOffset\n          embedding {\n            id\n            embeddingType\n            chunkIndex\n          }\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        startCursor\n        endCursor\n      }\n    }\n  }\n": types.SearchJobsDocument,
    "\n    query Across($kinds: [EmbeddableKind!], $first: Int, $after: String) {\n      search(query: { text: \"welder near Bergen\" }, kinds: $kinds, first: $first, after: $after) {\n        totalCount\n        nodes {\n          __typename\n        }\n        edges {\n          score\n          evidence {\n            text\n          }\n          node {\n            id\n            ... on Profile {\n              name\n            }\n            ... on JobDescription {\n              title\n            }\n          }\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  ": types.AcrossDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query JobPage($first: Int, $after: String, $last: Int, $before: String, $orderBy: JobOrder, $filter: JobFilter) {\n    jobs(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {\n      totalCount\n      nodes {\n        title\n      }\n      edges {\n        cursor\n        node {\n          title\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        startCursor\n        endCursor\n      }\n    }\n  }\n"): typeof import('./graphql').JobPageDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query ResumesOf($id: ID!, $first: Int, $after: String) {\n        profile(id: $id) {\n          resumes(first: $first, after: $after) {\n            totalCount\n            nodes {\n              title\n            }\n            pageInfo {\n              hasNextPage\n              hasPreviousPage\n              endCursor\n            }\n          }\n        }\n      }\n    "): typeof import('./graphql').ResumesOfDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query JobsBoth($filter: JobFilter) {\n    list: jobs(first: 200, filter: $filter) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n    found: searchJobs(query: { text: \"work\", mode: SEMANTIC }, filter: $filter, first: 100) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n  }\n"): typeof import('./graphql').JobsBothDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ProfilesBoth($filter: ProfileFilter) {\n    list: profiles(first: 200, filter: $filter) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n    found: searchProfiles(query: { text: \"work\", mode: SEMANTIC }, filter: $filter, first: 100) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n  }\n"): typeof import('./graphql').ProfilesBothDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SkillsBoth($filter: SkillFilter) {\n    list: skills(first: 200, filter: $filter) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n    found: searchSkills(query: { text: \"work\", mode: SEMANTIC }, filter: $filter, first: 100) {\n      totalCount\n      nodes {\n        id\n      }\n    }\n  }\n"): typeof import('./graphql').SkillsBothDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateProfile($input: CreateProfileInput!) {\n    createProfile(input: $input) {\n      syncToken\n      profile {\n        id\n        externalId\n        name\n        headline\n        createdBy\n        updatedBy\n        createdAt\n        updatedAt\n        workExperiences {\n          title\n          company\n          position\n          skillsUsed\n          createdBy\n        }\n        projects {\n          name\n          technologies\n        }\n        educations {\n          institution\n        }\n        skills {\n          id\n          name\n          position\n        }\n      }\n    }\n  }\n"): typeof import('./graphql').CreateProfileDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n    mutation CreateTag($input: CreateTagInput!) {\n      createTag(input: $input) {\n        tag {\n          id\n          name\n        }\n      }\n    }\n  "): typeof import('./graphql').CreateTagDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n    query TagFamily($name: String!) {\n      tag(name: $name) {\n        name\n        parent {\n          name\n        }\n        children {\n          name\n        }\n        ancestors {\n          name\n        }\n        descendants {\n          name\n        }\n      }\n    }\n  "): typeof import('./graphql').TagFamilyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RenameSkill($id: ID!) {\n    updateSkill(id: $id, input: { name: \"Sailing\" }) {\n      syncToken\n      skill {\n        name\n      }\n    }\n  }\n"): typeof import('./graphql').RenameSkillDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation HideSkill($id: ID!) {\n    archiveSkill(id: $id) {\n      skill {\n        name\n        archivedAt\n      }\n    }\n  }\n"): typeof import('./graphql').HideSkillDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Nested($first: Int!) {\n    profiles(first: $first) {\n      nodes {\n        id\n        name\n        embeddings {\n          embeddingType\n          text\n          status\n          model {\n            name\n          }\n        }\n        skills {\n          name\n        }\n        workExperiences {\n          title\n          embeddings {\n            text\n          }\n        }\n        matchingJobs(first: 5) {\n          edges {\n            score\n            node {\n              title\n            }\n            evidence {\n              text\n              score\n              embedding {\n                id\n                vector\n              }\n            }\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql').NestedDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation MakeStory($input: CreateStoryInput!) {\n    createStory(input: $input) {\n      syncToken\n    }\n  }\n"): typeof import('./graphql').MakeStoryDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query FindStories($token: String!) {\n    searchStories(query: { text: \"raven\", awaitSync: { token: $token } }) {\n      nodes {\n        title\n      }\n    }\n  }\n"): typeof import('./graphql').FindStoriesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation MakeProfile($input: CreateProfileInput!) {\n    createProfile(input: $input) {\n      syncToken\n      profile {\n        id\n        indexing {\n          state\n          pending\n          failed\n        }\n      }\n    }\n  }\n"): typeof import('./graphql').MakeProfileDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ChangeProfile($id: ID!, $input: UpdateProfileInput!) {\n    updateProfile(id: $id, input: $input) {\n      syncToken\n    }\n  }\n"): typeof import('./graphql').ChangeProfileDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RemoveProfile($id: ID!) {\n    deleteProfile(id: $id) {\n      syncToken\n    }\n  }\n"): typeof import('./graphql').RemoveProfileDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query FindProfiles($query: SearchInput!, $first: Int, $filter: ProfileFilter) {\n    searchProfiles(query: $query, first: $first, filter: $filter) {\n      nodes {\n        name\n        indexing {\n          state\n          pending\n          indexed\n        }\n      }\n      pageInfo {\n        hasNextPage\n      }\n    }\n  }\n"): typeof import('./graphql').FindProfilesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query FindSkills($text: String!) {\n    searchSkills(query: { text: $text }) {\n      nodes {\n        name\n      }\n    }\n  }\n"): typeof import('./graphql').FindSkillsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n      query Passages($after: String) {\n        searchStoryChunks(query: { text: \"raven\", mode: SEMANTIC }, first: 3, after: $after) {\n          nodes {\n            paragraphIndex\n          }\n          pageInfo {\n            hasNextPage\n            endCursor\n          }\n        }\n      }\n    "): typeof import('./graphql').PassagesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query SearchJobs($query: SearchInput!, $first: Int, $after: String, $filter: JobFilter) {\n    searchJobs(query: $query, first: $first, after: $after, filter: $filter) {\n      totalCount\n      nodes {\n        title\n      }\n      edges {\n        score\n        cursor\n        node {\n          id\n          title\n        }\n        evidence(first: 5) {\n          text\n          score\n          startOffset\n          endOffset\n          embedding {\n            id\n            embeddingType\n            chunkIndex\n          }\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        startCursor\n        endCursor\n      }\n    }\n  }\n"): typeof import('./graphql').SearchJobsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n    query Across($kinds: [EmbeddableKind!], $first: Int, $after: String) {\n      search(query: { text: \"welder near Bergen\" }, kinds: $kinds, first: $first, after: $after) {\n        totalCount\n        nodes {\n          __typename\n        }\n        edges {\n          score\n          evidence {\n            text\n          }\n          node {\n            id\n            ... on Profile {\n              name\n            }\n            ... on JobDescription {\n              title\n            }\n          }\n        }\n        pageInfo {\n          hasNextPage\n          endCursor\n        }\n      }\n    }\n  "): typeof import('./graphql').AcrossDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

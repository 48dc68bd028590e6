/* eslint-disable */
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
export type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
export type MakeOptional<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]?: Maybe<T[SubKey]> };
export type MakeMaybe<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]: Maybe<T[SubKey]> };
export type MakeEmpty<T extends { [key: string]: unknown }, K extends keyof T> = { [_ in K]?: never };
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** A date-time string at UTC, such as 2007-12-03T10:15:30Z, compliant with the `date-time` format outlined in section 5.6 of the RFC 3339 profile of the ISO 8601 standard for representation of dates and times using the Gregorian calendar.This scalar is serialized to a string in ISO 8601 format and parsed from a string in ISO 8601 format. */
  DateTimeISO: { input: string; output: string; }
  /** The `JSON` scalar type represents JSON values as specified by [ECMA-404](http://www.ecma-international.org/publications/files/ECMA-ST/ECMA-404.pdf). */
  JSON: { input: unknown; output: unknown; }
};

/** The worst of a record’s embeddings: FAILED before PENDING before INDEXED. */
export type IndexingState =
  | 'PENDING'
  | 'INDEXED'
  | 'FAILED';

/** What a person did to a tag on a text. */
export type TagDecisionAction =
  /** A tag that was there is right. */
  | 'ACCEPT'
  /** It is wrong, and is not suggested again. */
  | 'REJECT'
  /** A tag that was not there is right. */
  | 'ADD'
  /** A tag that a person had added was taken away. */
  | 'REMOVE'
  /** It is a suggestion again; only plain SQL does so. */
  | 'REOPEN';

/** Whether similarity or a person assigned the tag. */
export type TagSource =
  | 'AUTO'
  | 'MANUAL';

/** What a person has said about the assignment. */
export type TagStatus =
  | 'SUGGESTED'
  | 'ACCEPTED'
  | 'REJECTED';

/** Whether the vector server has an embedding’s present text and payload. */
export type EmbeddingStatus =
  /** The vector server does not have the present text or payload yet. */
  | 'PENDING'
  /** The vector server has exactly this row. */
  | 'INDEXED'
  /** Given up after repeated or permanent errors; see the dead letters. */
  | 'FAILED';

/** A write to wait for before searching. */
export type AwaitSyncInput = {
  /** The `syncToken` of a mutation. */
  token: Scalars['String']['input'];
  /** Milliseconds, at most 60000; then SYNC_TIMEOUT. */
  timeoutMs?: InputMaybe<Scalars['Int']['input']>;
};

/** How texts are compared. */
export type SearchMode =
  /** By meaning: cosine similarity of dense vectors; scores from -1 to 1. */
  | 'SEMANTIC'
  /** By words: BM25 over sparse vectors; scores from 0 up. */
  | 'LEXICAL'
  /** By both, fused by reciprocal rank in Qdrant; scores rank, they are not similarities. */
  | 'HYBRID';

/** Which contents. All given conditions must hold. */
export type ContentFilter = {
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  contentType?: InputMaybe<StringFilter>;
  /** Id where it comes from: an integer, a UUID or a slug. */
  contentId?: InputMaybe<StringFilter>;
  sessionId?: InputMaybe<StringFilter>;
  /** E.g. URL, YouTube, Chat. */
  sourceType?: InputMaybe<StringFilter>;
  createdAt?: InputMaybe<DateTimeFilter>;
  and?: InputMaybe<Array<ContentFilter>>;
  or?: InputMaybe<Array<ContentFilter>>;
  not?: InputMaybe<ContentFilter>;
  /** EXCLUDE unless given; top level only. */
  archived?: InputMaybe<ArchivedFilter>;
};

/** Operators on a text; case counts. */
export type StringFilter = {
  eq?: InputMaybe<Scalars['String']['input']>;
  in?: InputMaybe<Array<Scalars['String']['input']>>;
  isNull?: InputMaybe<Scalars['Boolean']['input']>;
};

/** Operators on a point in time. */
export type DateTimeFilter = {
  gt?: InputMaybe<Scalars['DateTimeISO']['input']>;
  gte?: InputMaybe<Scalars['DateTimeISO']['input']>;
  lt?: InputMaybe<Scalars['DateTimeISO']['input']>;
  lte?: InputMaybe<Scalars['DateTimeISO']['input']>;
  isNull?: InputMaybe<Scalars['Boolean']['input']>;
};

/** What to do with archived records. */
export type ArchivedFilter =
  | 'EXCLUDE'
  | 'INCLUDE'
  | 'ONLY';

/** Texts of a content item. */
export type ContentEmbeddingType =
  | 'CONTENT';

/** Which profiles. All given conditions must hold. */
export type ProfileFilter = {
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  name?: InputMaybe<StringFilter>;
  email?: InputMaybe<StringFilter>;
  /** One line under the name. */
  headline?: InputMaybe<StringFilter>;
  location?: InputMaybe<StringFilter>;
  /** Names of the skills, whatever the case. */
  skills?: InputMaybe<StringListFilter>;
  createdAt?: InputMaybe<DateTimeFilter>;
  and?: InputMaybe<Array<ProfileFilter>>;
  or?: InputMaybe<Array<ProfileFilter>>;
  not?: InputMaybe<ProfileFilter>;
  /** EXCLUDE unless given; top level only. */
  archived?: InputMaybe<ArchivedFilter>;
};

/** Operators on a list of texts; case does not count. */
export type StringListFilter = {
  /** The list has this item. */
  has?: InputMaybe<Scalars['String']['input']>;
  hasAny?: InputMaybe<Array<Scalars['String']['input']>>;
  hasAll?: InputMaybe<Array<Scalars['String']['input']>>;
  /** The list is empty. */
  isNull?: InputMaybe<Scalars['Boolean']['input']>;
};

/** Which jobs. All given conditions must hold. */
export type JobFilter = {
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  title?: InputMaybe<StringFilter>;
  company?: InputMaybe<StringFilter>;
  location?: InputMaybe<StringFilter>;
  skills?: InputMaybe<StringListFilter>;
  role?: InputMaybe<StringFilter>;
  industry?: InputMaybe<StringFilter>;
  employmentType?: InputMaybe<StringFilter>;
  experienceLevel?: InputMaybe<StringFilter>;
  /** Per year, in `currency`. */
  salaryMin?: InputMaybe<IntFilter>;
  /** Per year, in `currency`. */
  salaryMax?: InputMaybe<IntFilter>;
  /** ISO 4217. */
  currency?: InputMaybe<StringFilter>;
  isRemote?: InputMaybe<BooleanFilter>;
  createdAt?: InputMaybe<DateTimeFilter>;
  and?: InputMaybe<Array<JobFilter>>;
  or?: InputMaybe<Array<JobFilter>>;
  not?: InputMaybe<JobFilter>;
  /** EXCLUDE unless given; top level only. */
  archived?: InputMaybe<ArchivedFilter>;
};

/** Operators on a whole number. */
export type IntFilter = {
  eq?: InputMaybe<Scalars['Int']['input']>;
  in?: InputMaybe<Array<Scalars['Int']['input']>>;
  gt?: InputMaybe<Scalars['Int']['input']>;
  gte?: InputMaybe<Scalars['Int']['input']>;
  lt?: InputMaybe<Scalars['Int']['input']>;
  lte?: InputMaybe<Scalars['Int']['input']>;
  isNull?: InputMaybe<Scalars['Boolean']['input']>;
};

/** Operators on a truth value. */
export type BooleanFilter = {
  eq?: InputMaybe<Scalars['Boolean']['input']>;
  isNull?: InputMaybe<Scalars['Boolean']['input']>;
};

/** Texts of a job. */
export type JobEmbeddingType =
  | 'FULL_DESCRIPTION'
  | 'REQUIREMENTS'
  | 'KEYWORDS';

/** Texts of a profile. */
export type ProfileEmbeddingType =
  | 'FULL_PROFILE'
  | 'SUMMARY'
  | 'SKILLS';

/** Texts of a education. */
export type EducationEmbeddingType =
  | 'FULL_EDUCATION';

/** Which projects. All given conditions must hold. */
export type ProjectFilter = {
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  profileId?: InputMaybe<IdFilter>;
  name?: InputMaybe<StringFilter>;
  technologies?: InputMaybe<StringListFilter>;
  createdAt?: InputMaybe<DateTimeFilter>;
  and?: InputMaybe<Array<ProjectFilter>>;
  or?: InputMaybe<Array<ProjectFilter>>;
  not?: InputMaybe<ProjectFilter>;
  /** EXCLUDE unless given; top level only. */
  archived?: InputMaybe<ArchivedFilter>;
};

/** Operators on a reference, by global id. */
export type IdFilter = {
  eq?: InputMaybe<Scalars['ID']['input']>;
  in?: InputMaybe<Array<Scalars['ID']['input']>>;
  isNull?: InputMaybe<Scalars['Boolean']['input']>;
};

/** Texts of a project. */
export type ProjectEmbeddingType =
  | 'FULL_PROJECT'
  | 'DESCRIPTION'
  | 'TECHNOLOGIES';

/** Texts of a skill. */
export type SkillEmbeddingType =
  | 'SKILL';

/** Which workExperiences. All given conditions must hold. */
export type WorkExperienceFilter = {
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  profileId?: InputMaybe<IdFilter>;
  title?: InputMaybe<StringFilter>;
  company?: InputMaybe<StringFilter>;
  skillsUsed?: InputMaybe<StringListFilter>;
  createdAt?: InputMaybe<DateTimeFilter>;
  and?: InputMaybe<Array<WorkExperienceFilter>>;
  or?: InputMaybe<Array<WorkExperienceFilter>>;
  not?: InputMaybe<WorkExperienceFilter>;
  /** EXCLUDE unless given; top level only. */
  archived?: InputMaybe<ArchivedFilter>;
};

/** Texts of a work experience. */
export type WorkExperienceEmbeddingType =
  | 'FULL_EXPERIENCE'
  | 'DESCRIPTION'
  | 'SKILLS_USED';

/** Which resumes. All given conditions must hold. */
export type ResumeFilter = {
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  profileId?: InputMaybe<IdFilter>;
  /** The job it was written for. */
  jobId?: InputMaybe<IdFilter>;
  title?: InputMaybe<StringFilter>;
  createdAt?: InputMaybe<DateTimeFilter>;
  and?: InputMaybe<Array<ResumeFilter>>;
  or?: InputMaybe<Array<ResumeFilter>>;
  not?: InputMaybe<ResumeFilter>;
  /** EXCLUDE unless given; top level only. */
  archived?: InputMaybe<ArchivedFilter>;
};

/** Texts of a resume. */
export type ResumeEmbeddingType =
  | 'FULL_RESUME'
  | 'SUMMARY'
  | 'EXPERIENCE';

/** How a story’s text becomes chunks. */
export type ChunkingStrategy =
  /** One chunk a paragraph; a long one is split between its sentences. */
  | 'PARAGRAPH'
  /** Whole sentences, as many as fit; neighbours may share some. */
  | 'SENTENCE'
  /** Windows of as many words as fit; neighbours may share some. */
  | 'TOKEN'
  /** One chunk a block of Markdown; headings give chapters; code and lists stay whole where they fit. */
  | 'MARKDOWN';

/** What is embedded with each chunk, in a line before it that is not part of its text. */
export type ChunkContext =
  /** Nothing. */
  | 'NONE'
  /** The story’s title. */
  | 'TITLE'
  /** The headings that the chunk stands under. */
  | 'HEADINGS'
  /** The title, then the headings. */
  | 'TITLE_AND_HEADINGS';

/** Which stories. All given conditions must hold. */
export type StoryFilter = {
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  title?: InputMaybe<StringFilter>;
  author?: InputMaybe<StringFilter>;
  collection?: InputMaybe<StringFilter>;
  createdAt?: InputMaybe<DateTimeFilter>;
  and?: InputMaybe<Array<StoryFilter>>;
  or?: InputMaybe<Array<StoryFilter>>;
  not?: InputMaybe<StoryFilter>;
  /** EXCLUDE unless given; top level only. */
  archived?: InputMaybe<ArchivedFilter>;
};

/** Texts of a story. */
export type StoryEmbeddingType =
  | 'CHUNK';

/** Which tags. All given conditions must hold. */
export type TagFilter = {
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  /** Unique, whatever the case. */
  name?: InputMaybe<StringFilter>;
  /** The vocabulary that it belongs to, which says what it is assigned to. */
  scheme?: InputMaybe<StringFilter>;
  category?: InputMaybe<StringFilter>;
  /** The broader tag. */
  parentId?: InputMaybe<IdFilter>;
  createdAt?: InputMaybe<DateTimeFilter>;
  and?: InputMaybe<Array<TagFilter>>;
  or?: InputMaybe<Array<TagFilter>>;
  not?: InputMaybe<TagFilter>;
  /** EXCLUDE unless given; top level only. */
  archived?: InputMaybe<ArchivedFilter>;
};

/** Texts of a tag. */
export type TagEmbeddingType =
  | 'CONCEPT';

/** What an event is about. */
export type OutboxTopic =
  /** A record whose text or payload may have changed. */
  | 'SOURCE'
  /** One point that has to be brought to its row’s state. */
  | 'POINT'
  /** A point of the collections that are beside the live ones while the model is changed. */
  | 'BUILD'
  /** Work of a feature that follows on a new vector, such as tagging. */
  | 'FOLLOW_UP';

/** Kinds of record that have embeddings. */
export type EmbeddableKind =
  | 'PROFILE'
  | 'WORK_EXPERIENCE'
  | 'PROJECT'
  | 'EDUCATION'
  | 'SKILL'
  | 'JOB_DESCRIPTION'
  | 'GENERATED_RESUME'
  | 'STORY'
  | 'TAG_CONCEPT'
  | 'CONTENT_ITEM';

/** What tags are put on. */
export type TaggableKind =
  /** Each chunk of a story by itself. */
  | 'STORY'
  /** Content items as a whole, by the chunk that is nearest to the tag. */
  | 'CONTENT_ITEM'
  /** Jobs as a whole, by the chunk that is nearest to the tag. */
  | 'JOB_DESCRIPTION';

/** Order of a list of profiles. */
export type ProfileOrder = {
  field: ProfileOrderField;
  direction?: InputMaybe<OrderDirection>;
};

/** What a list of profiles can be ordered by; ID is the order of creation. */
export type ProfileOrderField =
  | 'ID'
  | 'CREATED_AT'
  | 'UPDATED_AT'
  | 'NAME'
  | 'HEADLINE'
  | 'LOCATION';

/** Absent values come last either way. */
export type OrderDirection =
  | 'ASC'
  | 'DESC';

/** What to look for: exactly one of text, vector, nodeId, examples. */
export type SearchInput = {
  text?: InputMaybe<Scalars['String']['input']>;
  /** As long as the model’s vectors. */
  vector?: InputMaybe<Array<Scalars['Float']['input']>>;
  /** Near a stored record of any embeddable type. */
  nodeId?: InputMaybe<Scalars['ID']['input']>;
  examples?: InputMaybe<ExamplesInput>;
  /** The kind’s best by measurement unless given. */
  mode?: InputMaybe<SearchMode>;
  /** Texts to compare with, e.g. `summary`; the whole record’s unless given. */
  embeddingTypes?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Only hits with a higher score, in the scale of the mode. */
  minScore?: InputMaybe<Scalars['Float']['input']>;
  /** 0 to 1: how much to prefer hits unlike each other (MMR); SEMANTIC only. */
  diversity?: InputMaybe<Scalars['Float']['input']>;
  awaitSync?: InputMaybe<AwaitSyncInput>;
};

/** Stored records to be like, and to be unlike. */
export type ExamplesInput = {
  positive: Array<Scalars['ID']['input']>;
  negative?: InputMaybe<Array<Scalars['ID']['input']>>;
  strategy?: InputMaybe<ExampleStrategy>;
};

/** How several examples count together, as Qdrant’s recommend. */
export type ExampleStrategy =
  | 'AVERAGE_VECTOR'
  | 'BEST_SCORE'
  | 'SUM_SCORES';

/** Order of a list of workExperiences. */
export type WorkExperienceOrder = {
  field: WorkExperienceOrderField;
  direction?: InputMaybe<OrderDirection>;
};

/** What a list of workExperiences can be ordered by; ID is the order of creation. */
export type WorkExperienceOrderField =
  | 'ID'
  | 'CREATED_AT'
  | 'UPDATED_AT'
  | 'TITLE'
  | 'COMPANY'
  | 'START_DATE'
  | 'END_DATE'
  | 'POSITION';

/** Order of a list of projects. */
export type ProjectOrder = {
  field: ProjectOrderField;
  direction?: InputMaybe<OrderDirection>;
};

/** What a list of projects can be ordered by; ID is the order of creation. */
export type ProjectOrderField =
  | 'ID'
  | 'CREATED_AT'
  | 'UPDATED_AT'
  | 'NAME'
  | 'POSITION';

/** Which educations. All given conditions must hold. */
export type EducationFilter = {
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  profileId?: InputMaybe<IdFilter>;
  institution?: InputMaybe<StringFilter>;
  /** Degree or kind of study. */
  studyType?: InputMaybe<StringFilter>;
  /** Subject. */
  area?: InputMaybe<StringFilter>;
  createdAt?: InputMaybe<DateTimeFilter>;
  and?: InputMaybe<Array<EducationFilter>>;
  or?: InputMaybe<Array<EducationFilter>>;
  not?: InputMaybe<EducationFilter>;
  /** EXCLUDE unless given; top level only. */
  archived?: InputMaybe<ArchivedFilter>;
};

/** Order of a list of educations. */
export type EducationOrder = {
  field: EducationOrderField;
  direction?: InputMaybe<OrderDirection>;
};

/** What a list of educations can be ordered by; ID is the order of creation. */
export type EducationOrderField =
  | 'ID'
  | 'CREATED_AT'
  | 'UPDATED_AT'
  | 'INSTITUTION'
  | 'START_DATE'
  | 'END_DATE'
  | 'POSITION';

/** Which skills. All given conditions must hold. */
export type SkillFilter = {
  ids?: InputMaybe<Array<Scalars['ID']['input']>>;
  profileId?: InputMaybe<IdFilter>;
  name?: InputMaybe<StringFilter>;
  category?: InputMaybe<StringFilter>;
  /** E.g. beginner, advanced. */
  level?: InputMaybe<StringFilter>;
  createdAt?: InputMaybe<DateTimeFilter>;
  and?: InputMaybe<Array<SkillFilter>>;
  or?: InputMaybe<Array<SkillFilter>>;
  not?: InputMaybe<SkillFilter>;
  /** EXCLUDE unless given; top level only. */
  archived?: InputMaybe<ArchivedFilter>;
};

/** Order of a list of skills. */
export type SkillOrder = {
  field: SkillOrderField;
  direction?: InputMaybe<OrderDirection>;
};

/** What a list of skills can be ordered by; ID is the order of creation. */
export type SkillOrderField =
  | 'ID'
  | 'CREATED_AT'
  | 'UPDATED_AT'
  | 'NAME'
  | 'CATEGORY'
  | 'POSITION';

/** Order of a list of jobs. */
export type JobOrder = {
  field: JobOrderField;
  direction?: InputMaybe<OrderDirection>;
};

/** What a list of jobs can be ordered by; ID is the order of creation. */
export type JobOrderField =
  | 'ID'
  | 'CREATED_AT'
  | 'UPDATED_AT'
  | 'TITLE'
  | 'COMPANY'
  | 'LOCATION'
  | 'ROLE'
  | 'INDUSTRY'
  | 'SALARY_MIN'
  | 'SALARY_MAX';

/** Order of a list of resumes. */
export type ResumeOrder = {
  field: ResumeOrderField;
  direction?: InputMaybe<OrderDirection>;
};

/** What a list of resumes can be ordered by; ID is the order of creation. */
export type ResumeOrderField =
  | 'ID'
  | 'CREATED_AT'
  | 'UPDATED_AT'
  | 'TITLE';

/** Order of a list of stories. */
export type StoryOrder = {
  field: StoryOrderField;
  direction?: InputMaybe<OrderDirection>;
};

/** What a list of stories can be ordered by; ID is the order of creation. */
export type StoryOrderField =
  | 'ID'
  | 'CREATED_AT'
  | 'UPDATED_AT'
  | 'TITLE'
  | 'AUTHOR'
  | 'COLLECTION';

/** Which stories. All given conditions must hold. */
export type StoryChunkFilter = {
  storyIds?: InputMaybe<Array<Scalars['ID']['input']>>;
  title?: InputMaybe<StringFilter>;
  author?: InputMaybe<StringFilter>;
  collection?: InputMaybe<StringFilter>;
  createdAt?: InputMaybe<DateTimeFilter>;
  and?: InputMaybe<Array<StoryChunkFilter>>;
  or?: InputMaybe<Array<StoryChunkFilter>>;
  not?: InputMaybe<StoryChunkFilter>;
  /** EXCLUDE unless given; top level only. */
  archived?: InputMaybe<ArchivedFilter>;
};

/** Order of a list of tags. */
export type TagOrder = {
  field: TagOrderField;
  direction?: InputMaybe<OrderDirection>;
};

/** What a list of tags can be ordered by; ID is the order of creation. */
export type TagOrderField =
  | 'ID'
  | 'CREATED_AT'
  | 'UPDATED_AT'
  | 'NAME'
  | 'SCHEME'
  | 'THRESHOLD'
  | 'CATEGORY'
  | 'USAGE_COUNT'
  | 'LAST_USED_AT';

/** Order of a list of contents. */
export type ContentOrder = {
  field: ContentOrderField;
  direction?: InputMaybe<OrderDirection>;
};

/** What a list of contents can be ordered by; ID is the order of creation. */
export type ContentOrderField =
  | 'ID'
  | 'CREATED_AT'
  | 'UPDATED_AT'
  | 'CONTENT_TYPE'
  | 'SOURCE_TYPE';

/** What is left out stays; a new scheme has the defaults of `general`. */
export type TagSchemeInput = {
  description?: InputMaybe<Scalars['String']['input']>;
  /** What its tags are put on by themselves; may be empty. */
  kinds?: InputMaybe<Array<TaggableKind>>;
  /** A cosine, -1 to 1. */
  threshold?: InputMaybe<Scalars['Float']['input']>;
  /** 1 to 100. */
  maxTags?: InputMaybe<Scalars['Int']['input']>;
  impliesParents?: InputMaybe<Scalars['Boolean']['input']>;
};

/** How stories are chunked: all of it; what is left out has its default. */
export type StoryChunkingInput = {
  chunkingStrategy: ChunkingStrategy;
  /** What suits the model unless given. */
  chunkTokens?: InputMaybe<Scalars['Int']['input']>;
  chunkOverlap?: InputMaybe<Scalars['Int']['input']>;
  chunkContext?: InputMaybe<ChunkContext>;
};

/** A new profile. */
export type CreateProfileInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  name: Scalars['String']['input'];
  email?: InputMaybe<Scalars['String']['input']>;
  /** One line under the name. */
  headline?: InputMaybe<Scalars['String']['input']>;
  summary?: InputMaybe<Scalars['String']['input']>;
  location?: InputMaybe<Scalars['String']['input']>;
  /** Created with it, in this order. */
  workExperiences?: InputMaybe<Array<WorkExperienceInput>>;
  /** Created with it, in this order. */
  projects?: InputMaybe<Array<ProjectInput>>;
  /** Created with it, in this order. */
  educations?: InputMaybe<Array<EducationInput>>;
  /** Created with it, in this order. */
  skills?: InputMaybe<Array<SkillInput>>;
};

/** A work experience of a new record. */
export type WorkExperienceInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  title: Scalars['String']['input'];
  company?: InputMaybe<Scalars['String']['input']>;
  /** ISO 8601, may stop at year or month. */
  startDate?: InputMaybe<Scalars['String']['input']>;
  /** Absent while the position is held. */
  endDate?: InputMaybe<Scalars['String']['input']>;
  description?: InputMaybe<Scalars['String']['input']>;
  highlights?: InputMaybe<Array<Scalars['String']['input']>>;
  skillsUsed?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Order within the profile. */
  position?: InputMaybe<Scalars['Int']['input']>;
};

/** A project of a new record. */
export type ProjectInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  name: Scalars['String']['input'];
  description?: InputMaybe<Scalars['String']['input']>;
  technologies?: InputMaybe<Array<Scalars['String']['input']>>;
  url?: InputMaybe<Scalars['String']['input']>;
  /** Order within the profile. */
  position?: InputMaybe<Scalars['Int']['input']>;
};

/** A education of a new record. */
export type EducationInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  institution: Scalars['String']['input'];
  /** Degree or kind of study. */
  studyType?: InputMaybe<Scalars['String']['input']>;
  /** Subject. */
  area?: InputMaybe<Scalars['String']['input']>;
  startDate?: InputMaybe<Scalars['String']['input']>;
  endDate?: InputMaybe<Scalars['String']['input']>;
  /** Order within the profile. */
  position?: InputMaybe<Scalars['Int']['input']>;
};

/** A skill of a new record. */
export type SkillInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  name: Scalars['String']['input'];
  category?: InputMaybe<Scalars['String']['input']>;
  /** E.g. beginner, advanced. */
  level?: InputMaybe<Scalars['String']['input']>;
  /** Order within the profile. */
  position?: InputMaybe<Scalars['Int']['input']>;
};

/** Fields left out keep their value. */
export type UpdateProfileInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  name?: InputMaybe<Scalars['String']['input']>;
  email?: InputMaybe<Scalars['String']['input']>;
  /** One line under the name. */
  headline?: InputMaybe<Scalars['String']['input']>;
  summary?: InputMaybe<Scalars['String']['input']>;
  location?: InputMaybe<Scalars['String']['input']>;
};

/** A new work experience. */
export type CreateWorkExperienceInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  profileId: Scalars['ID']['input'];
  title: Scalars['String']['input'];
  company?: InputMaybe<Scalars['String']['input']>;
  /** ISO 8601, may stop at year or month. */
  startDate?: InputMaybe<Scalars['String']['input']>;
  /** Absent while the position is held. */
  endDate?: InputMaybe<Scalars['String']['input']>;
  description?: InputMaybe<Scalars['String']['input']>;
  highlights?: InputMaybe<Array<Scalars['String']['input']>>;
  skillsUsed?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Order within the profile. */
  position?: InputMaybe<Scalars['Int']['input']>;
};

/** Fields left out keep their value. */
export type UpdateWorkExperienceInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  profileId?: InputMaybe<Scalars['ID']['input']>;
  title?: InputMaybe<Scalars['String']['input']>;
  company?: InputMaybe<Scalars['String']['input']>;
  /** ISO 8601, may stop at year or month. */
  startDate?: InputMaybe<Scalars['String']['input']>;
  /** Absent while the position is held. */
  endDate?: InputMaybe<Scalars['String']['input']>;
  description?: InputMaybe<Scalars['String']['input']>;
  highlights?: InputMaybe<Array<Scalars['String']['input']>>;
  skillsUsed?: InputMaybe<Array<Scalars['String']['input']>>;
  /** Order within the profile. */
  position?: InputMaybe<Scalars['Int']['input']>;
};

/** A new project. */
export type CreateProjectInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  profileId: Scalars['ID']['input'];
  name: Scalars['String']['input'];
  description?: InputMaybe<Scalars['String']['input']>;
  technologies?: InputMaybe<Array<Scalars['String']['input']>>;
  url?: InputMaybe<Scalars['String']['input']>;
  /** Order within the profile. */
  position?: InputMaybe<Scalars['Int']['input']>;
};

/** Fields left out keep their value. */
export type UpdateProjectInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  profileId?: InputMaybe<Scalars['ID']['input']>;
  name?: InputMaybe<Scalars['String']['input']>;
  description?: InputMaybe<Scalars['String']['input']>;
  technologies?: InputMaybe<Array<Scalars['String']['input']>>;
  url?: InputMaybe<Scalars['String']['input']>;
  /** Order within the profile. */
  position?: InputMaybe<Scalars['Int']['input']>;
};

/** A new education. */
export type CreateEducationInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  profileId: Scalars['ID']['input'];
  institution: Scalars['String']['input'];
  /** Degree or kind of study. */
  studyType?: InputMaybe<Scalars['String']['input']>;
  /** Subject. */
  area?: InputMaybe<Scalars['String']['input']>;
  startDate?: InputMaybe<Scalars['String']['input']>;
  endDate?: InputMaybe<Scalars['String']['input']>;
  /** Order within the profile. */
  position?: InputMaybe<Scalars['Int']['input']>;
};

/** Fields left out keep their value. */
export type UpdateEducationInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  profileId?: InputMaybe<Scalars['ID']['input']>;
  institution?: InputMaybe<Scalars['String']['input']>;
  /** Degree or kind of study. */
  studyType?: InputMaybe<Scalars['String']['input']>;
  /** Subject. */
  area?: InputMaybe<Scalars['String']['input']>;
  startDate?: InputMaybe<Scalars['String']['input']>;
  endDate?: InputMaybe<Scalars['String']['input']>;
  /** Order within the profile. */
  position?: InputMaybe<Scalars['Int']['input']>;
};

/** A new skill. */
export type CreateSkillInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  profileId: Scalars['ID']['input'];
  name: Scalars['String']['input'];
  category?: InputMaybe<Scalars['String']['input']>;
  /** E.g. beginner, advanced. */
  level?: InputMaybe<Scalars['String']['input']>;
  /** Order within the profile. */
  position?: InputMaybe<Scalars['Int']['input']>;
};

/** Fields left out keep their value. */
export type UpdateSkillInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  profileId?: InputMaybe<Scalars['ID']['input']>;
  name?: InputMaybe<Scalars['String']['input']>;
  category?: InputMaybe<Scalars['String']['input']>;
  /** E.g. beginner, advanced. */
  level?: InputMaybe<Scalars['String']['input']>;
  /** Order within the profile. */
  position?: InputMaybe<Scalars['Int']['input']>;
};

/** A new job. */
export type CreateJobInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  title: Scalars['String']['input'];
  company?: InputMaybe<Scalars['String']['input']>;
  location?: InputMaybe<Scalars['String']['input']>;
  description: Scalars['String']['input'];
  responsibilities?: InputMaybe<Array<Scalars['String']['input']>>;
  requirements?: InputMaybe<Array<Scalars['String']['input']>>;
  skills?: InputMaybe<Array<JobSkillInput>>;
  educationRequired?: InputMaybe<Scalars['String']['input']>;
  experienceRequired?: InputMaybe<Scalars['String']['input']>;
  role?: InputMaybe<Scalars['String']['input']>;
  industry?: InputMaybe<Scalars['String']['input']>;
  employmentType?: InputMaybe<Scalars['String']['input']>;
  experienceLevel?: InputMaybe<Scalars['String']['input']>;
  /** Per year, in `currency`. */
  salaryMin?: InputMaybe<Scalars['Int']['input']>;
  /** Per year, in `currency`. */
  salaryMax?: InputMaybe<Scalars['Int']['input']>;
  /** ISO 4217. */
  currency?: InputMaybe<Scalars['String']['input']>;
  isRemote?: InputMaybe<Scalars['Boolean']['input']>;
};

/** A skill that a job asks for. */
export type JobSkillInput = {
  name: Scalars['String']['input'];
  category?: InputMaybe<Scalars['String']['input']>;
};

/** Fields left out keep their value. */
export type UpdateJobInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  title?: InputMaybe<Scalars['String']['input']>;
  company?: InputMaybe<Scalars['String']['input']>;
  location?: InputMaybe<Scalars['String']['input']>;
  description?: InputMaybe<Scalars['String']['input']>;
  responsibilities?: InputMaybe<Array<Scalars['String']['input']>>;
  requirements?: InputMaybe<Array<Scalars['String']['input']>>;
  skills?: InputMaybe<Array<JobSkillInput>>;
  educationRequired?: InputMaybe<Scalars['String']['input']>;
  experienceRequired?: InputMaybe<Scalars['String']['input']>;
  role?: InputMaybe<Scalars['String']['input']>;
  industry?: InputMaybe<Scalars['String']['input']>;
  employmentType?: InputMaybe<Scalars['String']['input']>;
  experienceLevel?: InputMaybe<Scalars['String']['input']>;
  /** Per year, in `currency`. */
  salaryMin?: InputMaybe<Scalars['Int']['input']>;
  /** Per year, in `currency`. */
  salaryMax?: InputMaybe<Scalars['Int']['input']>;
  /** ISO 4217. */
  currency?: InputMaybe<Scalars['String']['input']>;
  isRemote?: InputMaybe<Scalars['Boolean']['input']>;
};

/** A new resume. */
export type CreateResumeInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  profileId: Scalars['ID']['input'];
  /** The job it was written for. */
  jobId?: InputMaybe<Scalars['ID']['input']>;
  title: Scalars['String']['input'];
  /** Plain text. */
  content: Scalars['String']['input'];
};

/** Fields left out keep their value. */
export type UpdateResumeInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  profileId?: InputMaybe<Scalars['ID']['input']>;
  /** The job it was written for. */
  jobId?: InputMaybe<Scalars['ID']['input']>;
  title?: InputMaybe<Scalars['String']['input']>;
  /** Plain text. */
  content?: InputMaybe<Scalars['String']['input']>;
};

/** A new story. */
export type CreateStoryInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  title: Scalars['String']['input'];
  author?: InputMaybe<Scalars['String']['input']>;
  collection?: InputMaybe<Scalars['String']['input']>;
  /** The whole text; blank lines separate paragraphs. */
  content: Scalars['String']['input'];
  chunkingStrategy?: InputMaybe<ChunkingStrategy>;
  /** Most tokens of a chunk. What suits the model unless given; never more than its window. */
  chunkTokens?: InputMaybe<Scalars['Int']['input']>;
  /** About how many tokens neighbouring chunks share, of SENTENCE and TOKEN; at most half of a chunk. */
  chunkOverlap?: InputMaybe<Scalars['Int']['input']>;
  chunkContext?: InputMaybe<ChunkContext>;
};

/** Fields left out keep their value. */
export type UpdateStoryInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  title?: InputMaybe<Scalars['String']['input']>;
  author?: InputMaybe<Scalars['String']['input']>;
  collection?: InputMaybe<Scalars['String']['input']>;
  /** The whole text; blank lines separate paragraphs. */
  content?: InputMaybe<Scalars['String']['input']>;
  chunkingStrategy?: InputMaybe<ChunkingStrategy>;
  /** Most tokens of a chunk. What suits the model unless given; never more than its window. */
  chunkTokens?: InputMaybe<Scalars['Int']['input']>;
  /** About how many tokens neighbouring chunks share, of SENTENCE and TOKEN; at most half of a chunk. */
  chunkOverlap?: InputMaybe<Scalars['Int']['input']>;
  chunkContext?: InputMaybe<ChunkContext>;
};

/** A new tag. */
export type CreateTagInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  /** Unique, whatever the case. */
  name: Scalars['String']['input'];
  /** Other names for the same. Embedded with it; no two tags share a name or alias. */
  aliases?: InputMaybe<Array<Scalars['String']['input']>>;
  description?: InputMaybe<Scalars['String']['input']>;
  /** The vocabulary that it belongs to, which says what it is assigned to. */
  scheme?: InputMaybe<Scalars['String']['input']>;
  /** It is suggested above this cosine; that of its category or scheme where absent. */
  threshold?: InputMaybe<Scalars['Float']['input']>;
  category?: InputMaybe<Scalars['String']['input']>;
  /** The broader tag. */
  parentId?: InputMaybe<Scalars['ID']['input']>;
};

/** Fields left out keep their value. */
export type UpdateTagInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  /** Unique, whatever the case. */
  name?: InputMaybe<Scalars['String']['input']>;
  /** Other names for the same. Embedded with it; no two tags share a name or alias. */
  aliases?: InputMaybe<Array<Scalars['String']['input']>>;
  description?: InputMaybe<Scalars['String']['input']>;
  /** The vocabulary that it belongs to, which says what it is assigned to. */
  scheme?: InputMaybe<Scalars['String']['input']>;
  /** It is suggested above this cosine; that of its category or scheme where absent. */
  threshold?: InputMaybe<Scalars['Float']['input']>;
  category?: InputMaybe<Scalars['String']['input']>;
  /** The broader tag. */
  parentId?: InputMaybe<Scalars['ID']['input']>;
};

/** A new content item. */
export type CreateContentInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  contentType: Scalars['String']['input'];
  /** Id where it comes from: an integer, a UUID or a slug. */
  contentId: Scalars['String']['input'];
  content?: InputMaybe<Scalars['String']['input']>;
  sessionId?: InputMaybe<Scalars['ID']['input']>;
  /** E.g. URL, YouTube, Chat. */
  sourceType?: InputMaybe<Scalars['String']['input']>;
};

/** Fields left out keep their value. */
export type UpdateContentInput = {
  /** Your own key for it; unique per type. */
  externalId?: InputMaybe<Scalars['String']['input']>;
  content?: InputMaybe<Scalars['String']['input']>;
  sessionId?: InputMaybe<Scalars['ID']['input']>;
  /** E.g. URL, YouTube, Chat. */
  sourceType?: InputMaybe<Scalars['String']['input']>;
};

export type ExampleCreateMutationVariables = Exact<{
  input: CreateProfileInput;
}>;


export type ExampleCreateMutation = { createProfile: { syncToken: string, profile: { id: string } } };

export type ExampleFindQueryVariables = Exact<{
  query: SearchInput;
}>;


export type ExampleFindQuery = { searchJobs: { edges: Array<{ score: number, node: { title: string, company?: string | null }, evidence: Array<{ text: string }> }> } };

export type ExampleDeleteMutationVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type ExampleDeleteMutation = { deleteProfile: { deletedId: string } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const ExampleCreateDocument = new TypedDocumentString(`
    mutation ExampleCreate($input: CreateProfileInput!) {
  createProfile(input: $input) {
    profile {
      id
    }
    syncToken
  }
}
    `) as unknown as TypedDocumentString<ExampleCreateMutation, ExampleCreateMutationVariables>;
export const ExampleFindDocument = new TypedDocumentString(`
    query ExampleFind($query: SearchInput!) {
  searchJobs(query: $query, first: 3) {
    edges {
      score
      node {
        title
        company
      }
      evidence {
        text
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ExampleFindQuery, ExampleFindQueryVariables>;
export const ExampleDeleteDocument = new TypedDocumentString(`
    mutation ExampleDelete($id: ID!) {
  deleteProfile(id: $id) {
    deletedId
  }
}
    `) as unknown as TypedDocumentString<ExampleDeleteMutation, ExampleDeleteMutationVariables>;

/**
 * What the readers make of any file, and what the writer takes: records in Kindred's own words, whatever the format
 * they came in. `externalId` is the natural key: a record that is imported again updates the one with its id.
 */
export interface SkillEntry {
  name: string;
  category?: string;
  level?: string;
}

export interface WorkExperienceEntry {
  title: string;
  company?: string;
  /** ISO 8601, may stop at the month or the year; likewise every other date here. */
  startDate?: string;
  /** Absent while the position is held. */
  endDate?: string;
  description?: string;
  highlights: string[];
  skillsUsed: string[];
}

export interface EducationEntry {
  institution: string;
  studyType?: string;
  area?: string;
  startDate?: string;
  endDate?: string;
}

export interface ProjectEntry {
  name: string;
  description?: string;
  technologies: string[];
  url?: string;
}

export interface ProfileRecord {
  externalId: string;
  name: string;
  email?: string;
  headline?: string;
  summary?: string;
  location?: string;
  skills: SkillEntry[];
  workExperiences: WorkExperienceEntry[];
  educations: EducationEntry[];
  projects: ProjectEntry[];
}

export interface JobRecord {
  externalId: string;
  title: string;
  company?: string;
  location?: string;
  description: string;
  responsibilities: string[];
  requirements: string[];
  skills: { name: string; category?: string }[];
  educationRequired?: string;
  experienceRequired?: string;
  role?: string;
  industry?: string;
  employmentType?: string;
  experienceLevel?: string;
}

export interface ResumeRecord {
  externalId: string;
  /** External id of the profile that it belongs to. */
  profileExternalId: string;
  jobExternalId?: string;
  title: string;
  content: string;
}

/** How a story is chunked. Where the strategy is given, what is not has its default. */
export interface StoryChunkingEntry {
  chunkingStrategy?: string;
  chunkTokens?: number;
  chunkOverlap?: number;
  chunkContext?: string;
}

/** Said of all stories of an import, whatever they say themselves. */
export interface StoryOptions {
  chunking?: StoryChunkingEntry;
  collection?: string;
}

export interface StoryRecord extends StoryChunkingEntry {
  externalId: string;
  title: string;
  author?: string;
  collection?: string;
  /** Paragraphs with a blank line between them, or Markdown. */
  content: string;
  /** A new story is then chunked as Markdown, unless it says how; one that is there already stays as it is. */
  isMarkdown?: boolean;
}

export interface TagRecord {
  externalId: string;
  name: string;
  description?: string;
  /** Vocabulary; made when there is none of that name. */
  scheme?: string;
  /** The scheme unless given. */
  category?: string;
  /** External id or name of the tag above. */
  parent?: string;
}

export interface ContentRecord {
  externalId: string;
  contentType: string;
  contentId: string;
  content: string;
  sessionId?: string;
  sourceType?: string;
}

export type ImportRecord =
  | { type: 'profile'; record: ProfileRecord }
  | { type: 'job'; record: JobRecord }
  | { type: 'resume'; record: ResumeRecord }
  | { type: 'story'; record: StoryRecord }
  | { type: 'tag'; record: TagRecord }
  | { type: 'content'; record: ContentRecord };

export type ImportRecordType = ImportRecord['type'];

/** Where in which file something was found. */
export interface SourcePlace {
  file: string;
  /** 1 is the first line; where a record starts. */
  line: number;
}

/** A record that could not be read, with everything needed to repair it. */
export interface Reject extends SourcePlace {
  reason: string;
  /** What the file says there; bytes that are not UTF-8 are replaced by `�`. */
  raw: string;
  /** The exact bytes, only where `raw` could not hold them. */
  rawBase64?: string;
}

/**
 * What a reader finds, in the order of the file. `offset`: bytes of the file read so far, for a progress bar; `raw`: what
 * the file says there, for a record that turns out later not to fit.
 */
export type ImportItem =
  | ({ kind: 'record'; offset: number; raw: string } & SourcePlace & ImportRecord)
  | { kind: 'reject'; offset: number; reject: Reject }
  /** A file of a folder that turned out to be something else. */
  | { kind: 'skipped'; offset: number; file: string; reason: string };

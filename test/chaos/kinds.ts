/**
 * What the harness knows of the kinds, written out by hand: it has to be another opinion than the specs, which the
 * program itself goes by.
 */
export interface ChaosField {
  column: string;
  /** In GraphQL inputs. */
  input: string;
  type: 'line' | 'prose' | 'paragraphs' | 'list' | 'boolean';
  /** Whether the text that is embedded for the record has it. */
  isText: boolean;
  isNullable: boolean;
}

export interface ChaosKind {
  kind: string;
  table: string;
  embeddingTable: string;
  sourceColumn: string;
  /** Of the mutations, as in `createJob`. */
  mutation: string;
  /** The record's field in a payload, as in `createJob { job { id } }`. */
  payloadField: string;
  typeName: string;
  fields: readonly ChaosField[];
  /** Whether it belongs to a profile, which takes it along when it is deleted or archived. */
  hasProfile: boolean;
  /** Columns that every point's payload mirrors, as they are. */
  payloadColumns: readonly string[];
  /** Columns of lists that the payload mirrors in lower case. */
  payloadLists: readonly string[];
  /** SQL of the further texts that the record's text has, from related rows; `t` is the record. */
  relatedTexts?: string;
  /** SQL of further payload, by key. */
  derivedPayload?: Readonly<Record<string, string>>;
}

function field(
  column: string,
  type: ChaosField['type'],
  isText: boolean,
  options: { input?: string; isNullable?: boolean } = {},
): ChaosField {
  const camelCase = column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return { column, type, isText, input: options.input ?? camelCase, isNullable: options.isNullable ?? false };
}

const OPTIONAL = { isNullable: true };

export const chaosKinds: readonly ChaosKind[] = [
  {
    kind: 'profile',
    table: 'profiles',
    embeddingTable: 'profile_embeddings',
    sourceColumn: 'profile_id',
    mutation: 'Profile',
    payloadField: 'profile',
    typeName: 'Profile',
    fields: [
      field('name', 'line', false),
      field('headline', 'line', true, OPTIONAL),
      field('summary', 'prose', true, OPTIONAL),
      field('location', 'line', false, OPTIONAL),
    ],
    hasProfile: false,
    payloadColumns: ['name', 'email', 'headline', 'location'],
    payloadLists: [],
    relatedTexts: `SELECT concat_ws(' ',
        (SELECT string_agg(concat_ws(' ', w.title, w.company, w.description), ' ') FROM work_experiences w
         WHERE w.profile_id = t.id AND w.archived_at IS NULL),
        (SELECT string_agg(concat_ws(' ', p.name, p.description, array_to_string(p.technologies, ' ')), ' ') FROM projects p
         WHERE p.profile_id = t.id AND p.archived_at IS NULL),
        (SELECT string_agg(concat_ws(' ', e.institution, e.study_type, e.area), ' ') FROM educations e
         WHERE e.profile_id = t.id AND e.archived_at IS NULL),
        (SELECT string_agg(s.name, ' ') FROM skills s WHERE s.profile_id = t.id AND s.archived_at IS NULL))`,
    derivedPayload: {
      skills: `SELECT coalesce(array_agg(DISTINCT lower(s.name)), '{}') FROM skills s
               WHERE s.profile_id = t.id AND s.archived_at IS NULL`,
    },
  },
  {
    kind: 'work_experience',
    table: 'work_experiences',
    embeddingTable: 'work_experience_embeddings',
    sourceColumn: 'work_experience_id',
    mutation: 'WorkExperience',
    payloadField: 'workExperience',
    typeName: 'WorkExperience',
    fields: [
      field('title', 'line', true),
      field('company', 'line', true, OPTIONAL),
      field('description', 'prose', true, OPTIONAL),
      field('skills_used', 'list', true),
    ],
    hasProfile: true,
    payloadColumns: ['title', 'company', 'profile_id'],
    payloadLists: ['skills_used'],
  },
  {
    kind: 'project',
    table: 'projects',
    embeddingTable: 'project_embeddings',
    sourceColumn: 'project_id',
    mutation: 'Project',
    payloadField: 'project',
    typeName: 'Project',
    fields: [
      field('name', 'line', true),
      field('description', 'prose', true, OPTIONAL),
      field('technologies', 'list', true),
    ],
    hasProfile: true,
    payloadColumns: ['name', 'profile_id'],
    payloadLists: ['technologies'],
  },
  {
    kind: 'education',
    table: 'educations',
    embeddingTable: 'education_embeddings',
    sourceColumn: 'education_id',
    mutation: 'Education',
    payloadField: 'education',
    typeName: 'Education',
    fields: [
      field('institution', 'line', true),
      field('study_type', 'line', true, OPTIONAL),
      field('area', 'line', true, OPTIONAL),
    ],
    hasProfile: true,
    payloadColumns: ['institution', 'study_type', 'area', 'profile_id'],
    payloadLists: [],
  },
  {
    kind: 'skill',
    table: 'skills',
    embeddingTable: 'skill_embeddings',
    sourceColumn: 'skill_id',
    mutation: 'Skill',
    payloadField: 'skill',
    typeName: 'Skill',
    fields: [
      field('name', 'line', true),
      field('category', 'line', true, OPTIONAL),
      field('level', 'line', false, OPTIONAL),
    ],
    hasProfile: true,
    payloadColumns: ['name', 'category', 'level', 'profile_id'],
    payloadLists: [],
  },
  {
    kind: 'job_description',
    table: 'job_descriptions',
    embeddingTable: 'job_description_embeddings',
    sourceColumn: 'job_description_id',
    mutation: 'Job',
    payloadField: 'job',
    typeName: 'JobDescription',
    fields: [
      field('title', 'line', true),
      field('company', 'line', false, OPTIONAL),
      field('description', 'prose', true),
      field('requirements', 'list', true),
      field('industry', 'line', true, OPTIONAL),
      field('is_remote', 'boolean', false),
    ],
    hasProfile: false,
    payloadColumns: [
      'title',
      'company',
      'location',
      'role',
      'industry',
      'employment_type',
      'experience_level',
      'salary_min',
      'salary_max',
      'currency',
      'is_remote',
    ],
    payloadLists: [],
    derivedPayload: {
      skills: `SELECT coalesce(array_agg(DISTINCT lower(s ->> 'name')), '{}') FROM jsonb_array_elements(t.skills) s`,
    },
  },
  {
    kind: 'generated_resume',
    table: 'generated_resumes',
    embeddingTable: 'resume_embeddings',
    sourceColumn: 'generated_resume_id',
    mutation: 'Resume',
    payloadField: 'resume',
    typeName: 'GeneratedResume',
    fields: [field('title', 'line', true), field('content', 'prose', true)],
    hasProfile: true,
    payloadColumns: ['title', 'profile_id', 'job_description_id'],
    payloadLists: [],
  },
  {
    kind: 'story',
    table: 'stories',
    embeddingTable: 'story_chunk_embeddings',
    sourceColumn: 'story_id',
    mutation: 'Story',
    payloadField: 'story',
    typeName: 'Story',
    fields: [
      field('title', 'line', false),
      field('author', 'line', false, OPTIONAL),
      field('collection', 'line', false, OPTIONAL),
      field('content', 'paragraphs', true),
    ],
    hasProfile: false,
    payloadColumns: ['title', 'author', 'collection'],
    payloadLists: [],
  },
  {
    kind: 'tag_concept',
    table: 'tag_concepts',
    embeddingTable: 'tag_concept_embeddings',
    sourceColumn: 'tag_concept_id',
    mutation: 'Tag',
    payloadField: 'tag',
    typeName: 'TagConcept',
    fields: [
      field('name', 'line', true),
      field('description', 'prose', true, OPTIONAL),
      field('category', 'line', false, OPTIONAL),
    ],
    hasProfile: false,
    payloadColumns: ['name', 'category', 'parent_id'],
    payloadLists: [],
  },
  {
    kind: 'content_item',
    table: 'content_items',
    embeddingTable: 'content_embeddings',
    sourceColumn: 'content_item_id',
    mutation: 'Content',
    payloadField: 'content',
    typeName: 'ContentItem',
    fields: [field('content', 'prose', true, OPTIONAL), field('source_type', 'line', false, OPTIONAL)],
    hasProfile: false,
    payloadColumns: ['content_type', 'content_id', 'session_id', 'source_type'],
    payloadLists: [],
  },
];

export const kindOf = new Map(chaosKinds.map((kind) => [kind.kind, kind]));

/** What `TRUNCATE table CASCADE` empties, besides embedding tables: the kinds, by the table that is named. */
export const truncations: Readonly<Record<string, readonly string[]>> = {
  content_items: ['content_item'],
  stories: ['story'],
  tag_concepts: ['tag_concept'],
  skills: ['skill'],
  job_descriptions: ['job_description', 'generated_resume'],
  profiles: ['profile', 'work_experience', 'project', 'education', 'skill', 'generated_resume'],
};

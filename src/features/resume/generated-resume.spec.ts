import { defineRecord } from '../../kernel/record/record-spec';
import { GeneratedResume, ResumeEmbedding } from './generated-resume.entity';

const SUMMARY_MAX_CHARACTERS = 1200;
const EXPERIENCE_HEADING = /^\s*(?:#+\s*)?(?:work |professional )?(?:experience|employment)(?: history)?\s*:?\s*$/im;
const NEXT_HEADING = /^\s*(?:#+\s*)?(?:education|skills|projects|references|certifications)\s*:?\s*$/im;

/** What stands before the first section about experience, at most a screenful. */
function summaryOf(content: string): string {
  const heading = EXPERIENCE_HEADING.exec(content);
  return content.slice(0, Math.min(heading?.index ?? content.length, SUMMARY_MAX_CHARACTERS)).trim();
}

/** The section about experience, or nothing where no heading names one. */
function experienceOf(content: string): string {
  const heading = EXPERIENCE_HEADING.exec(content);
  if (!heading) return '';
  const section = content.slice(heading.index + heading[0].length);
  const next = NEXT_HEADING.exec(section);
  return section.slice(0, next?.index ?? section.length).trim();
}

export const generatedResumeSpec = defineRecord<GeneratedResume>({
  kind: 'generated_resume',
  entity: GeneratedResume,
  table: 'generated_resumes',
  names: { type: 'GeneratedResume', short: 'Resume', field: 'resume', plural: 'resumes', label: 'resume' },
  owner: 'profileId',
  lists: [
    { reference: 'profileId', field: 'resumes', shape: 'connection', orderBy: 'id' },
    { reference: 'jobId', field: 'resumes', shape: 'connection', orderBy: 'id' },
  ],
  search: 'searchResumes',
  matches: [
    { field: 'matchingJobs', kind: 'job_description', description: 'Jobs whose text is nearest to this resume’s.' },
    { field: 'similarResumes', kind: 'generated_resume', description: 'Resumes like this one.' },
  ],
  embedding: {
    entity: ResumeEmbedding,
    table: 'resume_embeddings',
    sourceColumn: 'generated_resume_id',
    chunkColumn: 'chunk_index',
    typeName: 'ResumeEmbedding',
    enumName: 'ResumeEmbeddingType',
    types: {
      full_resume: {
        chunking: 'sentence',
        text: ({ record }) => record.content,
        context: ({ record }) => record.title,
      },
      summary: { chunking: 'sentence', text: ({ record }) => summaryOf(record.content) },
      experience: { chunking: 'sentence', text: ({ record }) => experienceOf(record.content) },
    },
    defaultTypes: ['full_resume'],
    defaultMode: 'HYBRID',
    hybridWeights: { dense: 1, lexical: 1 },
    meanTermCount: 120,
  },
});

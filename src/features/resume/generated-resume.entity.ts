import { Index } from 'typeorm';

import { EmbeddingRow } from '../../kernel/embedding/embedding-row';
import { EmbeddingTable } from '../../kernel/embedding/embedding-table';
import { Attribute, Reference } from '../../kernel/record/attribute';
import { RecordBase } from '../../kernel/record/record-base';
import { RecordTable } from '../../kernel/record/record-table';
import { JobDescription } from '../job/job-description.entity';
import { Profile } from '../profile/profile.entity';

@RecordTable({
  table: 'generated_resumes',
  typeName: 'GeneratedResume',
  description: 'A resume written for a person, possibly for one job.',
  references: {
    profileId: { target: () => Profile, onDelete: 'CASCADE' },
    jobId: { target: () => JobDescription, onDelete: 'SET NULL' },
  },
})
@Index('idx_generated_resumes_profile_id', ['profileId'])
@Index('idx_generated_resumes_job_description_id', ['jobId'])
export class GeneratedResume extends RecordBase {
  @Reference({ kind: 'profile', column: 'profile_id', field: 'profile' })
  profileId!: number;

  @Reference({
    kind: 'job_description',
    column: 'job_description_id',
    field: 'job',
    isNullable: true,
    description: 'The job it was written for.',
  })
  jobId!: number | null;

  @Attribute({ type: 'string', maxLength: 300, isFilterable: true, isOrderable: true })
  title!: string;

  @Attribute({ type: 'text', description: 'Plain text.' })
  content!: string;
}

@EmbeddingTable({
  table: 'resume_embeddings',
  source: () => GeneratedResume,
  sourceColumn: 'generated_resume_id',
  sourceIndex: 'idx_resume_embeddings_resume_id',
  types: ['full_resume', 'summary', 'experience'],
  typeName: 'ResumeEmbedding',
  description: 'A chunk of a resume.',
})
export class ResumeEmbedding extends EmbeddingRow {}

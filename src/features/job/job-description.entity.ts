import { Field, InputType, ObjectType } from 'type-graphql';
import { Check, Index } from 'typeorm';
import { z } from 'zod';

import { EmbeddingRow } from '../../kernel/embedding/embedding-row';
import { EmbeddingTable } from '../../kernel/embedding/embedding-table';
import { Attribute } from '../../kernel/record/attribute';
import { RecordBase } from '../../kernel/record/record-base';
import { RecordTable } from '../../kernel/record/record-table';
import { isBlank } from '../../kernel/record/storable-text';

@ObjectType({ description: 'A skill that a job asks for.' })
export class JobSkill {
  @Field(() => String)
  name!: string;

  @Field(() => String, { nullable: true })
  category?: string | null;
}

@InputType({ description: 'A skill that a job asks for.' })
export class JobSkillInput {
  @Field(() => String)
  name!: string;

  @Field(() => String, { nullable: true })
  category?: string | null;
}

@RecordTable({ table: 'job_descriptions', typeName: 'JobDescription', description: 'A position to be filled.' })
@Index('idx_job_descriptions_created_at', ['createdAt'])
@Check('chk_job_descriptions_salary', 'salary_min >= 0 AND salary_max >= salary_min')
export class JobDescription extends RecordBase {
  @Attribute({ type: 'string', maxLength: 300, isFilterable: true, isOrderable: true })
  title!: string;

  @Attribute({ type: 'string', isNullable: true, isFilterable: true, isOrderable: true })
  company!: string | null;

  @Attribute({ type: 'string', isNullable: true, isFilterable: true, isOrderable: true })
  location!: string | null;

  @Attribute({ type: 'text' })
  description!: string;

  @Attribute({ type: 'strings' })
  responsibilities!: string[];

  @Attribute({ type: 'strings' })
  requirements!: string[];

  @Attribute({
    type: 'json',
    shape: { output: () => JobSkill, input: () => JobSkillInput },
    validate: z.array(z.object({ name: z.string().refine((name) => !isBlank(name), 'must not be blank') })),
    isFilterable: true,
    filterValue: (value) => (value as JobSkill[]).map((skill) => skill.name),
    filterSql: "ARRAY(SELECT entry ->> 'name' FROM jsonb_array_elements(t.skills) AS entry)",
  })
  skills!: JobSkill[];

  @Attribute({ type: 'text', isNullable: true })
  educationRequired!: string | null;

  @Attribute({ type: 'text', isNullable: true })
  experienceRequired!: string | null;

  @Attribute({ type: 'string', isNullable: true, isFilterable: true, isOrderable: true })
  role!: string | null;

  @Attribute({ type: 'string', isNullable: true, isFilterable: true, isOrderable: true })
  industry!: string | null;

  @Attribute({ type: 'string', maxLength: 100, isNullable: true, isFilterable: true })
  employmentType!: string | null;

  @Attribute({ type: 'string', maxLength: 100, isNullable: true, isFilterable: true })
  experienceLevel!: string | null;

  @Attribute({
    type: 'integer',
    isNullable: true,
    isFilterable: true,
    isOrderable: true,
    validate: z.number().min(0, 'must be at least 0'),
    description: 'Per year, in `currency`.',
  })
  salaryMin!: number | null;

  @Attribute({
    type: 'integer',
    isNullable: true,
    isFilterable: true,
    isOrderable: true,
    validate: z.number().min(0, 'must be at least 0'),
    description: 'Per year, in `currency`.',
  })
  salaryMax!: number | null;

  @Attribute({ type: 'string', maxLength: 3, isNullable: true, isFilterable: true, description: 'ISO 4217.' })
  currency!: string | null;

  @Attribute({ type: 'boolean', isFilterable: true, default: false })
  isRemote!: boolean;
}

@EmbeddingTable({
  table: 'job_description_embeddings',
  source: () => JobDescription,
  sourceColumn: 'job_description_id',
  sourceIndex: 'idx_job_description_embeddings_job_id',
  types: ['full_description', 'requirements', 'keywords'],
  typeName: 'JobDescriptionEmbedding',
  description: 'A chunk of text about a job.',
})
export class JobDescriptionEmbedding extends EmbeddingRow {}

import { EmbeddingRow } from '../../kernel/embedding/embedding-row';
import { EmbeddingTable } from '../../kernel/embedding/embedding-table';
import { Education } from './education.entity';
import { Profile } from './profile.entity';
import { Project } from './project.entity';
import { Skill } from './skill.entity';
import { WorkExperience } from './work-experience.entity';

@EmbeddingTable({
  table: 'profile_embeddings',
  source: () => Profile,
  sourceColumn: 'profile_id',
  sourceIndex: 'idx_profile_embeddings_profile_id',
  types: ['full_profile', 'summary', 'skills'],
  typeName: 'ProfileEmbedding',
  description: 'A chunk of text about a profile.',
})
export class ProfileEmbedding extends EmbeddingRow {}

@EmbeddingTable({
  table: 'work_experience_embeddings',
  source: () => WorkExperience,
  sourceColumn: 'work_experience_id',
  sourceIndex: 'idx_work_experience_embeddings_work_id',
  types: ['full_experience', 'description', 'skills_used'],
  typeName: 'WorkExperienceEmbedding',
  description: 'A chunk of text about a position.',
})
export class WorkExperienceEmbedding extends EmbeddingRow {}

@EmbeddingTable({
  table: 'project_embeddings',
  source: () => Project,
  sourceColumn: 'project_id',
  sourceIndex: 'idx_project_embeddings_project_id',
  types: ['full_project', 'description', 'technologies'],
  typeName: 'ProjectEmbedding',
  description: 'A chunk of text about a project.',
})
export class ProjectEmbedding extends EmbeddingRow {}

@EmbeddingTable({
  table: 'education_embeddings',
  source: () => Education,
  sourceColumn: 'education_id',
  sourceIndex: 'idx_education_embeddings_education_id',
  types: ['full_education'],
  typeName: 'EducationEmbedding',
  description: 'A text about a course of study.',
})
export class EducationEmbedding extends EmbeddingRow {}

@EmbeddingTable({
  table: 'skill_embeddings',
  source: () => Skill,
  sourceColumn: 'skill_id',
  sourceIndex: 'idx_skill_embeddings_skill_id',
  types: ['skill'],
  typeName: 'SkillEmbedding',
  description: 'A text about a skill.',
})
export class SkillEmbedding extends EmbeddingRow {}

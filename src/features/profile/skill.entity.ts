import { Index } from 'typeorm';

import { Attribute, Reference } from '../../kernel/record/attribute';
import { RecordBase } from '../../kernel/record/record-base';
import { RecordTable } from '../../kernel/record/record-table';
import { Profile } from './profile.entity';

@RecordTable({
  table: 'skills',
  typeName: 'Skill',
  description: 'Something that a person can do.',
  references: { profileId: { target: () => Profile, onDelete: 'CASCADE' } },
})
@Index('idx_skills_profile_id', ['profileId'])
export class Skill extends RecordBase {
  @Reference({ kind: 'profile', column: 'profile_id', field: 'profile' })
  profileId!: number;

  @Attribute({ type: 'string', isFilterable: true, isOrderable: true })
  name!: string;

  @Attribute({ type: 'string', isNullable: true, isFilterable: true, isOrderable: true })
  category!: string | null;

  @Attribute({
    type: 'string',
    maxLength: 50,
    isNullable: true,
    isFilterable: true,
    description: 'E.g. beginner, advanced.',
  })
  level!: string | null;

  @Attribute({ type: 'integer', default: 0, isOrderable: true, description: 'Order within the profile.' })
  position!: number;
}

import { Index } from 'typeorm';

import { Attribute, Reference } from '../../kernel/record/attribute';
import { RecordBase } from '../../kernel/record/record-base';
import { RecordTable } from '../../kernel/record/record-table';
import { Profile } from './profile.entity';

@RecordTable({
  table: 'educations',
  typeName: 'Education',
  description: 'A course of study of a person.',
  references: { profileId: { target: () => Profile, onDelete: 'CASCADE' } },
})
@Index('idx_educations_profile_id', ['profileId'])
export class Education extends RecordBase {
  @Reference({ kind: 'profile', column: 'profile_id', field: 'profile' })
  profileId!: number;

  @Attribute({ type: 'string', isFilterable: true, isOrderable: true })
  institution!: string;

  @Attribute({
    type: 'string',
    maxLength: 500,
    isNullable: true,
    isFilterable: true,
    description: 'Degree or kind of study.',
  })
  studyType!: string | null;

  @Attribute({ type: 'string', maxLength: 500, isNullable: true, isFilterable: true, description: 'Subject.' })
  area!: string | null;

  @Attribute({ type: 'partialDate', isNullable: true, isOrderable: true })
  startDate!: string | null;

  @Attribute({ type: 'partialDate', isNullable: true, isOrderable: true })
  endDate!: string | null;

  @Attribute({ type: 'integer', default: 0, isOrderable: true, description: 'Order within the profile.' })
  position!: number;
}

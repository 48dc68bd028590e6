import { Index } from 'typeorm';

import { Attribute, Reference } from '../../kernel/record/attribute';
import { RecordBase } from '../../kernel/record/record-base';
import { RecordTable } from '../../kernel/record/record-table';
import { Profile } from './profile.entity';

@RecordTable({
  table: 'work_experiences',
  typeName: 'WorkExperience',
  description: 'A position that a person held.',
  references: { profileId: { target: () => Profile, onDelete: 'CASCADE' } },
})
@Index('idx_work_experiences_profile_id', ['profileId'])
export class WorkExperience extends RecordBase {
  @Reference({ kind: 'profile', column: 'profile_id', field: 'profile' })
  profileId!: number;

  @Attribute({ type: 'string', isFilterable: true, isOrderable: true })
  title!: string;

  @Attribute({ type: 'string', isNullable: true, isFilterable: true, isOrderable: true })
  company!: string | null;

  @Attribute({
    type: 'partialDate',
    isNullable: true,
    isOrderable: true,
    description: 'ISO 8601, may stop at year or month.',
  })
  startDate!: string | null;

  @Attribute({
    type: 'partialDate',
    isNullable: true,
    isOrderable: true,
    description: 'Absent while the position is held.',
  })
  endDate!: string | null;

  @Attribute({ type: 'text', isNullable: true })
  description!: string | null;

  @Attribute({ type: 'strings' })
  highlights!: string[];

  @Attribute({ type: 'strings', isFilterable: true })
  skillsUsed!: string[];

  @Attribute({ type: 'integer', default: 0, isOrderable: true, description: 'Order within the profile.' })
  position!: number;
}

import { Index } from 'typeorm';
import { z } from 'zod';

import { Attribute, Reference } from '../../kernel/record/attribute';
import { RecordBase } from '../../kernel/record/record-base';
import { RecordTable } from '../../kernel/record/record-table';
import { Profile } from './profile.entity';

@RecordTable({
  table: 'projects',
  typeName: 'Project',
  description: 'Something that a person made.',
  references: { profileId: { target: () => Profile, onDelete: 'CASCADE' } },
})
@Index('idx_projects_profile_id', ['profileId'])
export class Project extends RecordBase {
  @Reference({ kind: 'profile', column: 'profile_id', field: 'profile' })
  profileId!: number;

  @Attribute({ type: 'string', isFilterable: true, isOrderable: true })
  name!: string;

  @Attribute({ type: 'text', isNullable: true })
  description!: string | null;

  @Attribute({ type: 'strings', isFilterable: true })
  technologies!: string[];

  @Attribute({
    type: 'string',
    maxLength: 2000,
    isNullable: true,
    validate: z.url({ protocol: /^https?$/, error: 'is not a URL that begins with http:// or https://' }),
  })
  url!: string | null;

  @Attribute({ type: 'integer', default: 0, isOrderable: true, description: 'Order within the profile.' })
  position!: number;
}

import { Index } from 'typeorm';
import { z } from 'zod';

import { Attribute } from '../../kernel/record/attribute';
import { RecordBase } from '../../kernel/record/record-base';
import { RecordTable } from '../../kernel/record/record-table';

@RecordTable({ table: 'profiles', typeName: 'Profile', description: 'A person: what they do, have done and can do.' })
@Index('idx_profiles_created_at', ['createdAt'])
export class Profile extends RecordBase {
  @Attribute({ type: 'string', isFilterable: true, isOrderable: true })
  name!: string;

  @Attribute({
    type: 'string',
    maxLength: 320,
    isNullable: true,
    isFilterable: true,
    validate: z.email('is not an e-mail address'),
  })
  email!: string | null;

  @Attribute({
    type: 'string',
    maxLength: 300,
    isNullable: true,
    isFilterable: true,
    isOrderable: true,
    description: 'One line under the name.',
  })
  headline!: string | null;

  @Attribute({ type: 'text', isNullable: true })
  summary!: string | null;

  @Attribute({ type: 'string', isNullable: true, isFilterable: true, isOrderable: true })
  location!: string | null;
}

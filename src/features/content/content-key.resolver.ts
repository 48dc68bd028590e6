import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';

import type { SqlRunner } from '../../kernel/db/database';
import { DomainError } from '../../kernel/errors/domain-error';
import type { GraphQLContext } from '../../kernel/graphql/context';
import { isStorable, UNSTORABLE_PROBLEM } from '../../kernel/record/storable-text';
import { ContentItem } from './content-item.entity';

interface ContentTypeRow {
  name: string;
  pattern: string;
  /** Whether the id, spelled as it would be stored, is one of this type. */
  isFitting: boolean;
}

function refuse(field: string, problem: string, details: object = {}): never {
  throw new DomainError('BAD_INPUT', `${field}: ${problem}.`, { details: { field, ...details } });
}

/** @throws BAD_INPUT for a content type that does not exist, or an id that no item of the type can have */
async function checkNaturalKey(sql: SqlRunner, contentType: string, contentId: string): Promise<void> {
  for (const [field, value] of Object.entries({ contentType, contentId })) {
    if (!isStorable(value)) refuse(field, UNSTORABLE_PROBLEM);
  }
  const types = await sql.query<ContentTypeRow>(
    `SELECT name, id_pattern AS pattern, kindred_content_id(name, $1) ~ ('^(' || id_pattern || ')$') AS "isFitting"
     FROM content_types ORDER BY name`,
    [contentId],
  );
  const found = types.find(({ name }) => name === contentType);
  if (!found) {
    const allowed = types.map(({ name }) => name);
    refuse('contentType', `'${contentType}' is no content type; there are ${allowed.join(', ')}`, { allowed });
  }
  if (!found.isFitting) {
    const { pattern } = found;
    refuse('contentId', `'${contentId}' is no id of a ${contentType}, which must match ${pattern}`, { pattern });
  }
}

@Resolver()
export class ContentKeyResolver {
  @Query(() => ContentItem, {
    nullable: true,
    description:
      'The content item of this type and id. The id may be a number or a text, a UUID in any spelling; unlike `content`, this says what is wrong with a key that no item can have.',
  })
  async byNaturalKey(
    @Arg('contentType', () => String) contentType: string,
    @Arg('contentId', () => ID) contentId: string,
    @Ctx() context: GraphQLContext,
  ): Promise<object | null> {
    const { database, records, registry } = context.services;
    await checkNaturalKey(database, contentType, contentId);
    return records.byLookup(registry.kind('content_item'), [contentType, contentId]);
  }
}

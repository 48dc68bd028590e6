import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Triggers of tags and of content ids. */
const FUNCTIONS = [
  'carry_tag_verdicts',
  'check_content_id',
  'check_tag_model',
  'count_tag_usage',
  'fill_freed_places',
  'forget_tag_model',
  'keep_tag_names',
  'keep_tag_verdict',
  'log_tag_decision',
  'lost_text_content_item_tags',
  'lost_text_job_description_tags',
  'recall_tag_verdicts',
  'refuse_tag_cycle',
  'tag_again',
];

/**
 * Programs that restore, replicate or migrate tables often write with an empty search_path. Triggers of tags found no
 * tables then, and refused even the deletion of a story. They look in their own schema, and in temporary tables last.
 */
export class TagTriggersNameTheirSchema1760000470000 implements MigrationInterface {
  name = 'TagTriggersNameTheirSchema1760000470000';

  async up(queryRunner: QueryRunner): Promise<void> {
    const [{ schema }] = (await queryRunner.query('SELECT quote_ident(current_schema()) AS schema')) as [
      { schema: string },
    ];
    for (const name of FUNCTIONS) {
      await queryRunner.query(`ALTER FUNCTION kindred_${name}() SET search_path = ${schema}, pg_temp`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const name of FUNCTIONS) await queryRunner.query(`ALTER FUNCTION kindred_${name}() RESET search_path`);
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is written down of the collections beside the live ones. */
export class CreateStandbyPoints1760000120000 implements MigrationInterface {
  name = 'CreateStandbyPoints1760000120000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE standby_points (
      point_id uuid NOT NULL,
      kind varchar(50) NOT NULL,
      indexed_revision bigint NOT NULL,
      indexed_hash character(64),
      CONSTRAINT pk_standby_points PRIMARY KEY (point_id),
      CONSTRAINT fk_standby_points_point_id FOREIGN KEY (point_id) REFERENCES vector_points (point_id) ON DELETE CASCADE
    )`);
    await queryRunner.query(`CREATE INDEX idx_standby_points_kind ON standby_points (kind, point_id)`);
    await queryRunner.query(`CREATE INDEX idx_standby_points_hash ON standby_points (indexed_hash, kind)`);
    await queryRunner.query(`ALTER TABLE standby_points SET (autovacuum_vacuum_scale_factor = 0.01)`);
    await queryRunner.query(
      `CREATE UNIQUE INDEX uq_embedding_generations_building ON embedding_generations (kind) WHERE state = 'building'`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX uq_embedding_generations_building`);
    await queryRunner.query(`DROP TABLE standby_points`);
  }
}

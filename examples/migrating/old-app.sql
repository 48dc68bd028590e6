-- A program that knows one table for all of its embeddings, in a schema of its own.
CREATE SCHEMA app;

CREATE TABLE app.profiles (id SERIAL PRIMARY KEY, full_name TEXT NOT NULL, about TEXT);
CREATE TABLE app.jobs (id SERIAL PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE app.vector_embeddings (
  id SERIAL PRIMARY KEY,
  entity_type VARCHAR(50) NOT NULL,
  entity_id INTEGER NOT NULL,
  qdrant_point_id UUID NOT NULL,
  embedding_type VARCHAR(50),
  chunk_index INTEGER DEFAULT 0,
  metadata_json TEXT,
  created_at TIMESTAMP DEFAULT NOW(),
  updated_at TIMESTAMP DEFAULT NOW()
);

INSERT INTO app.profiles (full_name, about) VALUES
  ('Mara Lindqvist', 'Keeps bees on city roofs.'),
  ('Tomas Okafor', 'Bakes bread by night.'),
  ('Ines Carvalho', 'Restores tower clocks.');
INSERT INTO app.jobs (title, body) VALUES
  ('Apiary Manager', 'Look after forty hives.'),
  ('Baker', 'Sourdough, from three in the morning.');

INSERT INTO app.vector_embeddings (entity_type, entity_id, qdrant_point_id, embedding_type, chunk_index, metadata_json) VALUES
  ('profile', 1, '00000000-0000-4000-8000-000000000001', 'full_profile', 0, '{"model": "all-MiniLM-L6-v2"}'),
  ('profile', 2, '00000000-0000-4000-8000-000000000002', 'full_profile', 0, 'imported by hand'),
  ('profile', 3, '00000000-0000-4000-8000-000000000003', NULL, 0, NULL),
  ('vacancy', 1, '00000000-0000-4000-8000-000000000004', 'full_description', 0, NULL),
  ('vacancy', 2, '00000000-0000-4000-8000-000000000005', 'full_description', 0, NULL),
  ('profile', 1, '00000000-0000-4000-8000-000000000006', 'full_profile', 0, NULL), -- the same chunk once more
  ('profile', 9, '00000000-0000-4000-8000-000000000007', 'full_profile', 0, NULL), -- nobody's
  ('profile', 2, '00000000-0000-4000-8000-000000000008', 'summary', 0, NULL); -- its point is not in Qdrant

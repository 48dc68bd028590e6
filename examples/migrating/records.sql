-- The records come to Kindred's tables with the ids that they have.
INSERT INTO profiles (id, name, summary) SELECT id, full_name, about FROM app.profiles;
INSERT INTO job_descriptions (id, title, description) SELECT id, title, body FROM app.jobs;

-- Ids given from now on follow those.
SELECT setval('profiles_id_seq', max(id)) FROM profiles;
SELECT setval('job_descriptions_id_seq', max(id)) FROM job_descriptions;

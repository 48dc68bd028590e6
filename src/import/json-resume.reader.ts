import type { ImportFile } from './import-files';
import type { ImportItem } from './import-records';
import { describeJsonProblem } from './json-problem';
import { jsonResume } from './json-resume.schema';
import { describeIssues } from './schema-parts';
import { readWholeFile, rejectFile } from './whole-file';

/**
 * Reads a JSON Resume file as a profile. Its external id is the file's own `id`, if it has one, else `file:<path>`.
 * In a folder, a JSON file without `basics` is something else and skipped; one that was named is rejected.
 */
export async function* readJsonResume(source: ImportFile): AsyncGenerator<ImportItem> {
  const { file, sizeBytes } = source;
  const whole = await readWholeFile(source);
  if ('problem' in whole) {
    yield whole.problem;
    return;
  }
  let value: unknown;
  try {
    value = JSON.parse(whole.text);
  } catch (error) {
    const { line, reason } = describeJsonProblem(error, whole.text);
    yield rejectFile(source, line, `the file is not valid JSON: ${reason}`, whole.text);
    return;
  }
  if (!isResume(value) && !source.isNamed) {
    yield { kind: 'skipped', offset: sizeBytes, file, reason: 'no JSON Resume: it has no "basics"' };
    return;
  }
  const result = jsonResume.safeParse(value);
  if (!result.success) {
    yield rejectFile(source, 1, describeIssues(result.error), whole.text);
    return;
  }
  const { id, ...profile } = result.data;
  const record = { externalId: id ?? source.derivedId, ...profile };
  yield { kind: 'record', offset: sizeBytes, raw: whole.text, file, line: 1, type: 'profile', record };
}

function isResume(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'basics' in value;
}

import type { ImportFile, ImportSyntax } from './import-files';
import type { ImportItem } from './import-records';
import { readJobTable } from './job-table.reader';
import { readJsonLines } from './json-lines.reader';
import { readJsonResume } from './json-resume.reader';
import { readStoryText } from './story-text.reader';
import { rejectFile } from './whole-file';

const readers: Readonly<Record<ImportSyntax, (source: ImportFile) => AsyncGenerator<ImportItem>>> = {
  'json-lines': readJsonLines,
  'json-resume': readJsonResume,
  'story-text': readStoryText,
  'job-table': readJobTable,
};

/**
 * Reads the records of one file, in its order, holding one record at a time. Never throws for what is in the file: a
 * record that is wrong, has the id of an earlier record of the file, or a file that cannot be read is a reject.
 */
export async function* readImportFile(source: ImportFile): AsyncGenerator<ImportItem> {
  const lineOfId = new Map<string, number>();
  try {
    for await (const item of readers[source.syntax](source)) {
      if (item.kind !== 'record') {
        yield item;
        continue;
      }
      const { file, line, offset, raw, record } = item;
      const earlier = lineOfId.get(record.externalId);
      if (earlier === undefined) {
        lineOfId.set(record.externalId, line);
        yield item;
      } else {
        const reason = `the id ${JSON.stringify(record.externalId)} is already on line ${earlier} of this file`;
        yield { kind: 'reject', offset, reject: { file, line, reason, raw } };
      }
    }
  } catch (error) {
    yield rejectFile(source, 1, `the file cannot be read: ${(error as Error).message}`, '');
  }
}

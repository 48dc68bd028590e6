import type { ImportFile } from './import-files';
import type { ImportItem } from './import-records';
import { describeJsonProblem } from './json-problem';
import { jsonLinesSchemas } from './json-lines.schemas';
import { describeIssues } from './schema-parts';
import type { Line } from './text-lines';
import { decodeUtf8, describeInvalidUtf8, MAX_LINE_BYTES, readLines } from './text-lines';

/** Reads a file of one JSON object a line. A line that is wrong is rejected alone. */
export async function* readJsonLines(source: ImportFile): AsyncGenerator<ImportItem> {
  for await (const line of readLines(source.file)) {
    const item = readLine(source, line);
    if (item !== undefined) yield item;
  }
}

function readLine({ file, kind }: ImportFile, { bytes, number, offset }: Line): ImportItem | undefined {
  const reject = (reason: string, raw: string, rawBase64?: string): ImportItem => ({
    kind: 'reject',
    offset,
    reject: { file, line: number, reason, raw, ...(rawBase64 === undefined ? {} : { rawBase64 }) },
  });
  if (bytes === undefined) return reject(`the line is longer than ${MAX_LINE_BYTES / 1024 / 1024} MB`, '');
  const text = decodeUtf8(bytes);
  if (text === undefined) {
    return reject(`the line ${describeInvalidUtf8(bytes)}`, bytes.toString('utf8'), bytes.toString('base64'));
  }
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return reject(`the line is not valid JSON: ${describeJsonProblem(error, text).reason}`, text);
  }
  const result = jsonLinesSchemas[kind].safeParse(value);
  if (!result.success) return reject(describeIssues(result.error), text);
  return { kind: 'record', offset, raw: text, file, line: number, ...result.data };
}

import { readFile } from 'node:fs/promises';
import type { ImportFile } from './import-files';
import type { ImportItem } from './import-records';
import { decodeUtf8, describeInvalidUtf8 } from './text-lines';

const MAX_FILE_BYTES = 32 * 1024 * 1024;

export type WholeFile = { text: string } | { problem: ImportItem };

/** Reads a file that is one record. A byte order mark is dropped; \r\n becomes \n. */
export async function readWholeFile(source: ImportFile): Promise<WholeFile> {
  if (source.sizeBytes > MAX_FILE_BYTES) {
    const reason = `the file has ${source.sizeBytes} bytes; one record may have ${MAX_FILE_BYTES}`;
    return { problem: rejectFile(source, 1, reason, '') };
  }
  const bytes = await readFile(source.file);
  const text = decodeUtf8(bytes);
  if (text !== undefined) return { text: text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n') };
  const lossy = bytes.toString('utf8');
  const line = lossy.slice(0, lossy.indexOf('�')).split('\n').length;
  const reason = `the file ${describeInvalidUtf8(bytes)}`;
  return { problem: rejectFile(source, line, reason, lossy, bytes.toString('base64')) };
}

export function rejectFile(
  { file, sizeBytes }: ImportFile,
  line: number,
  reason: string,
  raw: string,
  rawBase64?: string,
): ImportItem {
  const reject = { file, line, reason, raw, ...(rawBase64 === undefined ? {} : { rawBase64 }) };
  return { kind: 'reject', offset: sizeBytes, reject };
}

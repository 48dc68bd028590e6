import { createReadStream } from 'node:fs';

/** One line of a file, without its line break, not decoded yet. */
export interface Line {
  /** 1 is the first. */
  number: number;
  /** Undefined for a line that is longer than allowed; its content is not kept. */
  bytes: Buffer | undefined;
  /** Bytes of the file up to the end of this line. */
  offset: number;
}

export const MAX_LINE_BYTES = 32 * 1024 * 1024;

/**
 * Reads a file line by line, holding one line at a time. Line breaks are \n or \r\n; a byte order mark is dropped.
 * @throws what the file system says, when the file cannot be read
 */
export async function* readLines(file: string, maxLineBytes = MAX_LINE_BYTES): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let length = 0;
  let offset = 0;
  let number = 1;
  const take = (): Line => {
    const isTooLong = length > maxLineBytes;
    const line = { number, bytes: isTooLong ? undefined : trimLine(Buffer.concat(parts), number === 1), offset };
    parts = [];
    length = 0;
    number++;
    return line;
  };
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      keep(chunk.subarray(from, end));
      offset += end + 1 - from;
      yield take();
      from = end + 1;
    }
    keep(chunk.subarray(from));
    offset += chunk.length - from;
  }
  if (length > 0) yield take();

  function keep(part: Buffer): void {
    length += part.length;
    if (length <= maxLineBytes) parts.push(part);
    else parts = [];
  }
}

function trimLine(bytes: Buffer, isFirst: boolean): Buffer {
  const from = isFirst && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const to = bytes[bytes.length - 1] === 13 ? bytes.length - 1 : bytes.length;
  return bytes.subarray(from, Math.max(from, to));
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Undefined where the bytes are not UTF-8; nothing is replaced silently. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Says where text stops being UTF-8, for a message. */
export function describeInvalidUtf8(bytes: Buffer): string {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return 'is UTF-16, and must be UTF-8';
  }
  // The replacement character begins where the first byte that fits no character is.
  const valid = Buffer.byteLength(bytes.toString('utf8').split('�', 1)[0] ?? '');
  return `is not UTF-8: byte 0x${(bytes[valid] ?? 0).toString(16).padStart(2, '0')} at position ${valid + 1}`;
}

import { Transform } from 'node:stream';

/** Passes bytes on and remembers where lines end, to tell later on which line a byte is. */
export class LineCounter extends Transform {
  private readonly lineEnds: number[] = [];
  private seenBytes = 0;
  private line = 1;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) this.lineEnds.push(this.seenBytes + at);
    this.seenBytes += chunk.length;
    done(null, chunk);
  }

  /** The line of the byte at `offset`, 1 being the first. Must be asked in ascending order: what is behind is forgotten. */
  lineAt(offset: number): number {
    const next = this.lineEnds.findIndex((end) => end >= offset);
    const passed = this.lineEnds.splice(0, next === -1 ? this.lineEnds.length : next);
    this.line += passed.length;
    return this.line;
  }
}

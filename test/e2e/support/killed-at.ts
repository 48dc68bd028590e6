import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** A moment in a program's work on the database, by what it says to PostgreSQL. */
export interface Moment {
  /** Pattern of a statement that has to be said first, on the same connection; its `nth` counts. */
  once: RegExp;
  nth?: number;
  /** The statement at which the program dies; the same one unless given. */
  at?: RegExp;
  /** `before` it is sent, or `after` it was answered, so that what it did is done and the program knows nothing of it. */
  when: 'before' | 'after';
}

const PG = require.resolve('pg');

/** Node options that make the program kill itself by SIGKILL at that moment. The file is put into `folder`. */
export function killedAt(folder: string, { once, nth = 1, at = once, when }: Moment): string[] {
  const preload = path.join(folder, 'kill-at.cjs');
  writeFileSync(
    preload,
    `const { Client } = require(${JSON.stringify(PG)});
     const die = () => process.kill(process.pid, 'SIGKILL');
     const query = Client.prototype.query;
     const armed = new WeakSet();
     let left = ${nth};
     Client.prototype.query = function (...args) {
       const text = typeof args[0] === 'string' ? args[0] : (args[0]?.text ?? '');
       if (${String(once)}.test(text) && --left === 0) armed.add(this);
       if (!armed.has(this) || !${String(at)}.test(text)) return query.apply(this, args);
       if (${JSON.stringify(when)} === 'before') die();
       const last = args.length - 1;
       if (typeof args[last] === 'function') {
         args[last] = die;
         return query.apply(this, args);
       }
       return query.apply(this, args).then(die, die);
     };`,
  );
  return ['--require', preload];
}

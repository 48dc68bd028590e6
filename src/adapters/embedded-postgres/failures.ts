import { DomainError } from '../../kernel/errors/domain-error';
import { currentUser } from '../../kernel/process/file-error';

const ELSEWHERE = 'choose another folder with KINDRED_DATA_DIR, or set DATABASE_URL to a PostgreSQL server of yours';

/** Says why the server (or `initdb`) gave up, from the last lines that it wrote. */
export function explainServerFailure(doing: string, clusterDir: string, output: readonly string[]): DomainError {
  const text = output.join('\n');
  if (/No space left on device|Disk quota exceeded/i.test(text)) {
    return new DomainError(
      'DATABASE_UNAVAILABLE',
      `The embedded PostgreSQL could not ${doing}: the disk that holds ${clusterDir} (or shared memory) is full.`,
      { retryable: true, details: { output: output.slice(-5) } },
    );
  }
  if (/could not look up effective user ID/i.test(text)) {
    return new DomainError(
      'CONFIGURATION',
      `The embedded PostgreSQL could not ${doing}: ${currentUser()} has no account in /etc/passwd, which it insists on. ` +
        'Run as a user that has one, or set DATABASE_URL to a PostgreSQL server of yours.',
    );
  }
  if (/Permission denied|invalid permissions|wrong ownership/i.test(text)) {
    return new DomainError(
      'CONFIGURATION',
      `The embedded PostgreSQL could not ${doing}: permission denied in ${clusterDir} (${lastWord(output)}). ` +
        `Give the folder to the user that runs Kindred, ${ELSEWHERE}.`,
    );
  }
  return new DomainError('DATABASE_UNAVAILABLE', `The embedded PostgreSQL could not ${doing}: ${lastWord(output)}`, {
    details: { output: output.slice(-10) },
  });
}

function lastWord(output: readonly string[]): string {
  const telling = output.filter((line) => /FATAL|PANIC|error|could not|cannot/i.test(line));
  return telling.at(-1) ?? output.at(-1) ?? 'it ended without a word';
}

/** The exit code by which a shell knows that a program ended on a signal: 128 and its number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Calls `begin` at the first SIGINT, SIGTERM or SIGHUP; at the second one the process ends at once, for whoever does not
 * want to wait. @returns takes the handlers away
 */
export function onTermination(begin: (signal: keyof typeof EXIT_CODES) => void): () => void {
  let hasBegun = false;
  const handle = (signal: keyof typeof EXIT_CODES): void => {
    if (hasBegun) process.exit(EXIT_CODES[signal]);
    hasBegun = true;
    begin(signal);
  };
  const signals = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}

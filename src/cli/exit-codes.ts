export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
/** 128 and the number of SIGINT, as shells expect. */
export const EXIT_INTERRUPTED = 130;

/** The user asked to stop; what was done so far is consistent. */
export class InterruptedError extends Error {}

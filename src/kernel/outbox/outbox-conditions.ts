/** Priorities of events: what someone may be waiting for, and what was changed in bulk. */
export const URGENT = 0;
export const BULK = 1;

/**
 * Now, after the statement began to look. `now()` is of before: what another transaction queued or gave back in between is
 * seen, and would pass for a check that is set for later. Read once, so that an index can be searched by it.
 */
export const PRESENT = '(SELECT clock_timestamp())';

/**
 * Whether a living event is a check that was set for later: its time has not come, though nothing has gone wrong with it
 * and no writer held what it is about. Whoever waits for work to be done need not wait for it.
 * @param events the name that a statement gives to `outbox_events`
 */
export function isSetForLater(events: string): string {
  return `(${events}.available_at > ${PRESENT} AND ${events}.attempts = 0 AND ${events}.error_code IS NULL)`;
}

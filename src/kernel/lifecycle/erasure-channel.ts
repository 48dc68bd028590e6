/** PostgreSQL's notifications by which every process hears of an erasure. */
export const ERASURE_CHANNEL = 'kindred_erasure';

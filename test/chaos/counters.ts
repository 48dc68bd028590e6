import type { Outcome } from './writers/journal';

export interface UnexpectedAnswer {
  code: string;
  message: string;
  at: Date;
}

/** Counts by name, for the report. */
export class Counters {
  readonly operations = new Map<string, Record<Outcome, number>>();
  readonly kills = new Map<string, number>();
  readonly faults = new Map<string, number>();
  /** Codes of the API's refusals. */
  readonly answers = new Map<string, number>();
  /** Answers that no fault explains: the program was at a loss, or did not understand a request of ours. */
  readonly unexpected: UnexpectedAnswer[] = [];
  deadLetters = 0;

  operation(name: string, outcome: Outcome): void {
    const counts = this.operations.get(name) ?? { acknowledged: 0, refused: 0, unknown: 0 };
    counts[outcome]++;
    this.operations.set(name, counts);
  }

  kill(where: string): void {
    add(this.kills, where);
  }

  fault(sort: string): void {
    add(this.faults, sort);
  }

  answer(code: string, message: string): void {
    add(this.answers, code);
    if (code === 'INTERNAL' || code === 'BAD_INPUT') this.unexpected.push({ code, message, at: new Date() });
  }

  total(outcome: Outcome): number {
    return [...this.operations.values()].reduce((sum, counts) => sum + counts[outcome], 0);
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

import type { Urgency } from '../../kernel/model/embedder';

/** Lets at most `limit` requests run at once; the next free slot goes to the most urgent, among equals to the first. */
export class RequestSlots {
  private free: number;
  private readonly waiting: { urgency: Urgency; start: () => void }[] = [];

  constructor(limit: number) {
    this.free = limit;
  }

  async run<T>(urgency: Urgency, work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((start) => this.waiting.push({ urgency, start }));
    try {
      return await work();
    } finally {
      this.handOver();
    }
  }

  private handOver(): void {
    const most = Math.min(...this.waiting.map((entry) => entry.urgency));
    const index = this.waiting.findIndex((entry) => entry.urgency === most);
    const [next] = index < 0 ? [] : this.waiting.splice(index, 1);
    if (next) next.start();
    else this.free++;
  }
}

/** Lets at most `limit` requests run at once; a waiting query gets the next free slot before any document. */
export class RequestSlots {
  private free: number;
  private readonly waiting: { isUrgent: boolean; start: () => void }[] = [];

  constructor(limit: number) {
    this.free = limit;
  }

  async run<T>(isUrgent: boolean, work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((start) => this.waiting.push({ isUrgent, start }));
    try {
      return await work();
    } finally {
      this.handOver();
    }
  }

  private handOver(): void {
    const urgent = this.waiting.findIndex((entry) => entry.isUrgent);
    const [next] = this.waiting.splice(Math.max(urgent, 0), 1);
    if (next) next.start();
    else this.free++;
  }
}

interface Tally {
  labels: string;
  /** Requests in each bucket, not cumulated; the last one is of those beyond every limit. */
  buckets: Float64Array;
  sumMs: number;
}

const LIMITS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/**
 * A histogram of requests by route, method and status. Every request is counted here, so it is done by hand:
 * the one of prom-client takes some 2 µs, as it hashes the labels each time.
 */
export class RequestHistogram {
  private readonly tallies = new Map<string, Tally>();

  constructor(
    private readonly name: string,
    private readonly help: string,
  ) {}

  observe(route: string, method: string, status: number, durationMs: number): void {
    const key = `${status}${method}${route}`;
    let tally = this.tallies.get(key);
    if (!tally) {
      const labels = `route="${route}",method="${method}",status="${status}"`;
      tally = { labels, buckets: new Float64Array(LIMITS_MS.length + 1), sumMs: 0 };
      this.tallies.set(key, tally);
    }
    let bucket = 0;
    while (bucket < LIMITS_MS.length && durationMs > (LIMITS_MS[bucket] as number)) bucket += 1;
    tally.buckets[bucket] = (tally.buckets[bucket] as number) + 1;
    tally.sumMs += durationMs;
  }

  /** In Prometheus's text format. */
  read(): string {
    const lines = [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} histogram`];
    for (const { labels, buckets, sumMs } of this.tallies.values()) {
      let count = 0;
      for (const [i, limitMs] of [...LIMITS_MS, Infinity].entries()) {
        count += buckets[i] as number;
        lines.push(`${this.name}_bucket{le="${limitMs === Infinity ? '+Inf' : limitMs / 1000}",${labels}} ${count}`);
      }
      lines.push(`${this.name}_sum{${labels}} ${sumMs / 1000}`, `${this.name}_count{${labels}} ${count}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

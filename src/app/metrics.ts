import { PrometheusMetrics } from '../adapters/prometheus';
import type { Core } from './core';

export type Metrics = PrometheusMetrics;

/** What a process counts of itself. Made before the core, which reports to it. */
export function createMetrics(): Metrics {
  return new PrometheusMetrics();
}

/** Adds what is read from the stores whenever the metrics are. */
export function watchCore(metrics: Metrics, { services, lightCheck, checks }: Core): void {
  metrics.watch({
    progress: services.progress,
    lightCheck,
    queryTexts: () => services.search.queryTexts,
    checks,
  });
}

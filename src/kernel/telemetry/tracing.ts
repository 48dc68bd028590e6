import {
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
  type SpanKind,
} from '@opentelemetry/api';

const TRACE_PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const MAX_LINKS = 100;

const tracer = trace.getTracer('kindred');

export interface SpanFacts {
  kind?: SpanKind;
  attributes?: Attributes;
}

/** What goes with a change so that who follows it continues its trace; undefined while nothing is traced. */
export function activeTraceParent(): string | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  if (!span || !isSpanContextValid(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-${(span.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0')}`;
}

/** @returns undefined for what is no W3C trace context */
export function readTraceParent(value: string | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACE_PARENT.exec(value ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const span = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
  return isSpanContextValid(span) ? span : undefined;
}

/** Where a span begins that continues what `traceParent` names, if it does. */
export function contextOf(traceParent: string | undefined): Context {
  const parent = readTraceParent(traceParent);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

/** Runs `work` within a span of its own; spans that it begins are below it. Without tracing, just runs it. */
export function inSpan<T>(name: string, facts: SpanFacts, work: () => Promise<T>): Promise<T> {
  return run(tracer.startSpan(name, facts), context.active(), work);
}

/**
 * Runs `work` on a batch of events. A batch of one trace continues it; one of several begins its own trace, which links
 * to each of them.
 */
export function inBatchSpan<T>(
  name: string,
  facts: SpanFacts,
  traceParents: readonly (string | undefined)[],
  work: () => Promise<T>,
): Promise<T> {
  const parents = [...new Set(traceParents)].flatMap((one) => readTraceParent(one) ?? []);
  const traces = new Set(parents.map((parent) => parent.traceId));
  const [first] = parents;
  const isOfOne = first !== undefined && traces.size === 1 && traceParents.every((one) => one !== undefined);
  const begin = isOfOne ? trace.setSpanContext(ROOT_CONTEXT, first) : ROOT_CONTEXT;
  const links = parents.slice(0, MAX_LINKS).map((parent) => ({ context: parent }));
  return run(tracer.startSpan(name, { ...facts, links }, begin), begin, work);
}

async function run<T>(span: Span, parent: Context, work: () => Promise<T>): Promise<T> {
  if (!span.isRecording()) return work();
  try {
    return await context.with(trace.setSpan(parent, span), work);
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** The message stays out: it may quote what people wrote. */
function fail(span: Span, error: unknown): void {
  const name = error instanceof Error ? error.name : 'Error';
  const code = (error as { code?: unknown } | null)?.code;
  span.setAttribute('error.type', typeof code === 'string' ? code : name);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

import { assignments, compare, type Finding } from './compare';
import { Counters } from './counters';
import { FaultSchedule } from './faults/schedule';
import { Model } from './model';
import { Operator } from './operator';
import { Random } from '../support/random';
import { System } from './system';
import { GraphQLWriter } from './writers/graphql-writer';
import { SqlWriter } from './writers/sql-writer';

export interface ChaosOptions {
  minutes: number;
  seed: string;
  /** How long things are broken before all must be well again. */
  roundSeconds?: number;
  /** Whether the model is changed meanwhile. */
  isChangingModels?: boolean;
  log?: (line: string) => void;
  /** Whether the folder stays even if nothing was found. */
  isKept?: boolean;
}

export interface ChaosResult {
  seed: string;
  /** From the first write to the last comparison. */
  minutes: number;
  /** Of those, with writers and faults at work. */
  minutesOfFaults: number;
  rounds: number;
  counters: Counters;
  /** Everything that was compared, over all rounds. */
  compared: { records: number; rows: number; points: number };
  findings: Finding[];
  /** Holds what the processes logged; removed where nothing was found. */
  folder: string;
}

const RELAYS = 3;
const SQL_WRITERS = 3;
const GRAPHQL_WRITERS = 2;
const LONGEST_PAUSE_MS = 80;
/** Far more than it takes. What is not done by then is stuck. */
const QUIESCE_MS = 600_000;
const START_MS = 300_000;
/** Far more than rounding makes of a cosine. */
const SCORE_TOLERANCE = 1e-4;

/**
 * Lets writers write and breaks everything under them, in rounds; after each, mends everything, waits until nothing is
 * left to do and compares both stores, and the database with what its clients were told.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'kindred-chaos-'));
  const journal = path.join(folder, 'journal.log');
  const log = (line: string): void => {
    appendFileSync(journal, `${new Date().toISOString()} ${line}\n`);
  };
  const say = (line: string): void => {
    log(line);
    options.log?.(line);
  };
  const random = new Random(options.seed);
  const counters = new Counters();
  const model = new Model();
  const system = new System(folder, random.fork('system'), counters);
  const compared = { records: 0, rows: 0, points: 0 };
  const findings: Finding[] = [];
  let minutesOfFaults = 0;
  let rounds = 0;
  let isClean = false;
  say(`seed ${options.seed}, folder ${folder}`);
  try {
    await system.start(RELAYS);
    await waitFor('everything to start', START_MS, () => Promise.resolve(system.isReady));
    const beganAt = performance.now();
    const endsAt = beganAt + options.minutes * 60_000;
    const roundMs = (options.roundSeconds ?? 240) * 1_000;
    const schedule = new FaultSchedule(system, random.fork('faults'), counters, log);
    const operator = options.isChangingModels
      ? new Operator(system, random.fork('operator'), counters, log)
      : undefined;
    const writers = [
      ...Array.from(
        { length: SQL_WRITERS },
        (_, i) => new SqlWriter(system.address, model, random.fork(`sql ${i}`), counters),
      ),
      ...Array.from(
        { length: GRAPHQL_WRITERS },
        (_, i) => new GraphQLWriter(() => system.graphqlUrl, model, random.fork(`graphql ${i}`), counters),
      ),
    ];
    while (findings.length === 0 && performance.now() < endsAt) {
      rounds++;
      const forMs = Math.min(roundMs, endsAt - performance.now());
      const faultsBeganAt = performance.now();
      await breakThings(forMs, writers, [schedule, ...(operator ? [operator] : [])], random.fork(`pauses ${rounds}`));
      minutesOfFaults += (performance.now() - faultsBeganAt) / 60_000;
      findings.push(...unexplained(system, counters));
      const unsettled = await quiesce(system, counters, writers, operator, log);
      findings.push(...unsettled);
      if (unsettled.length > 0) break;
      const comparison = await system.withClient((client) => compare(client, system.vectorUrl, model));
      compared.records += comparison.records;
      compared.rows += comparison.rows;
      compared.points += comparison.points;
      findings.push(...comparison.findings, ...(await ownOpinion(system)), ...(await taggingAnew(system, log)));
      model.collapse(comparison.values);
      say(
        `round ${rounds}: ${counters.total('acknowledged')} writes acknowledged so far; ${comparison.records} records, ` +
          `${comparison.rows} rows, ${comparison.points} points compared, ${findings.length} findings`,
      );
    }
    const minutes = (performance.now() - beganAt) / 60_000;
    for (const finding of findings) log(`FINDING ${JSON.stringify(finding)}`);
    isClean = findings.length === 0 && !options.isKept;
    return { seed: options.seed, minutes, minutesOfFaults, rounds, counters, compared, findings, folder };
  } finally {
    await system.stop();
    if (isClean) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Writer {
  step(): Promise<void>;
  close?(): void;
}

async function breakThings(
  forMs: number,
  writers: readonly Writer[],
  courses: readonly { run(signal: AbortSignal): Promise<void> }[],
  random: Random,
): Promise<void> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), forMs);
  try {
    await Promise.all([
      ...courses.map((course) => course.run(ending.signal)),
      ...writers.map(async (writer, i) => {
        const pauses = random.fork(`writer ${i}`);
        while (!ending.signal.aborted) {
          await writer.step();
          await delay(pauses.int(0, LONGEST_PAUSE_MS));
        }
      }),
    ]);
  } finally {
    ending.abort();
    clearTimeout(timer);
  }
}

/** Mends everything and waits until nothing is left to do. */
async function quiesce(
  system: System,
  counters: Counters,
  writers: readonly Writer[],
  operator: Operator | undefined,
  log: (line: string) => void,
): Promise<Finding[]> {
  for (const writer of writers) writer.close?.();
  system.vectorProxy.clear();
  system.embedding.clear();
  system.databaseProxy.thaw();
  for (const relay of system.relays) relay.relax();
  system.embedding.refusesPoison = false;
  log('quiescing');
  // A collection that vanished is missed when it is next written to, or when any process starts.
  if (system.hasLostCollections) system.restartRelay();
  try {
    await waitFor('everything to run', QUIESCE_MS, () => Promise.resolve(system.isReady));
    log('everything runs');
    await waitFor('the last transactions', QUIESCE_MS, () => isAtRest(system));
    log('no transaction is open');
    if (operator) await system.hastenChecks();
    const areRelaysDone = async (): Promise<boolean> => {
      const { events, dead } = await redrive(system);
      counters.deadLetters += dead;
      return events === 0 && system.vectorProxy.isIdle;
    };
    await waitFor('the relays', QUIESCE_MS, areRelaysDone);
    log('the relays are done');
    if (operator) {
      await operator.settle();
      await waitFor('the relays after the change of the model', QUIESCE_MS, areRelaysDone);
      log('the model is settled');
    }
    return [];
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause === undefined ? '' : ` (${String(cause)})`;
    const what = `${message}${reason}; ${system.state}; left: ${await leftOf(system)}`;
    return [{ sort: 'drift', kind: '', id: '', what }];
  } finally {
    system.embedding.refusesPoison = true;
  }
}

/** Answers that no fault explains, each with what the server logged about it. */
function unexplained(system: System, counters: Counters): Finding[] {
  return counters.unexpected.splice(0).map(({ code, message, at }) => ({
    sort: 'unexpected answer',
    kind: '',
    id: code,
    what: [message, ...system.errorsLoggedByApi(at)].join('\n'),
  }));
}

/** Whether no transaction of a client goes on; one whose connection broke may for a while. */
function isAtRest(system: System): Promise<boolean> {
  return system.withClient(async (client) => {
    const { rows } = await client.query<{ isAtRest: boolean }>(
      `SELECT count(*) = 0 AS "isAtRest" FROM pg_stat_activity
       WHERE application_name = 'chaos writer' OR (application_name IN ('kindred serve', 'kindred models') AND state <> 'idle')`,
    );
    return rows[0]?.isAtRest ?? false;
  });
}

/** Gives dead letters another chance, as an operator does. @returns the events left, and how many were dead */
async function redrive(system: System): Promise<{ events: number; dead: number }> {
  const { events, dead } = await system.withClient(async (client) => {
    const { rows } = await client.query<{ events: number; dead: number }>(
      'SELECT count(*)::int AS events, count(dead_at)::int AS dead FROM outbox_events',
    );
    return rows[0] ?? { events: 0, dead: 0 };
  });
  if (dead === 0) return { events, dead };
  const { redriveDeadLetters } = await system.ask<{ redriveDeadLetters: { redriven: number } }>(
    'mutation { redriveDeadLetters { redriven } }',
  );
  return { events, dead: redriveDeadLetters.redriven };
}

/** What is open in the database: work, and sessions that do something or block others. */
async function leftOf(system: System): Promise<string> {
  const left = await system
    .withClient(async (client) => ({
      events: (await client.query('SELECT * FROM outbox_events LIMIT 5')).rows as object[],
      sessions: (
        await client.query(
          `SELECT pid, application_name, state, wait_event, xact_start, state_change, pg_blocking_pids(pid) AS blocked_by,
             left(query, 200) AS query
           FROM pg_stat_activity
           WHERE pid <> pg_backend_pid() AND (application_name = 'chaos writer' OR (state <> 'idle' AND backend_type = 'client backend'))
           LIMIT 20`,
        )
      ).rows as object[],
    }))
    .catch(String);
  return JSON.stringify(left);
}

/** What `kindred consistency check` says. */
async function ownOpinion(system: System): Promise<Finding[]> {
  const { code, output } = await system.command('consistency', 'check', '--json');
  return code === 0 ? [] : [{ sort: 'drift', kind: '', id: '', what: `kindred consistency check: ${output}` }];
}

/** Comparing all texts with all tags once more, and all tags with all texts, must come to what there is. */
async function taggingAnew(system: System, log: (line: string) => void): Promise<Finding[]> {
  const findings: Finding[] = [];
  let before = await system.withClient(assignments);
  for (const command of ['infer', 'retag']) {
    const { code, output } = await system.command('tags', command, '--json');
    if (code !== 0) return [{ sort: 'drift', kind: '', id: '', what: `kindred tags ${command}: ${output}` }];
    const after = await system.withClient(assignments);
    log(`${before.size} assignments of tags before tags ${command}, ${after.size} after it`);
    const found = (id: string, what: string): void =>
      void findings.push({ sort: 'drift', kind: 'tag', id, what: `${what} (tags ${command})` });
    for (const [id, { how, score }] of before) {
      const now = after.get(id);
      if (!now) found(id, `${how}, but is not to be`);
      else if (Math.abs((now.score ?? 0) - (score ?? 0)) > SCORE_TOLERANCE) {
        found(id, `${how} at ${score}, but is to be ${now.how} at ${now.score}`);
      }
    }
    for (const [id, { how }] of after) if (!before.has(id)) found(id, `missing, but is to be ${how}`);
    before = after;
  }
  return findings;
}

async function waitFor(what: string, withinMs: number, isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      if (await isDone()) return;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${withinMs / 1000} s for ${what}`, { cause: last });
    }
    await delay(100);
  }
}

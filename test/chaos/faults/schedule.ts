import { setTimeout as delay } from 'node:timers/promises';

import { relaySteps } from '../../../src/kernel/outbox/relay-step';
import type { Counters } from '../counters';
import { chaosKinds } from '../kinds';
import type { Random } from '../../support/random';
import { LONGEST_STALL_MS, STEP_NAMES, type System } from '../system';
import { embeddingFaults } from './embedding-server';
import { vectorFaults } from './vector-proxy';

/** How long a fault waits for a request to hit. */
const LONGEST_WAIT_MS = 15_000;

/** Breaks one thing after the other, each part by a course of its own, until `signal` aborts. */
export class FaultSchedule {
  private readonly vectorFaults = new Deck(vectorFaults);
  private readonly embeddingFaults = new Deck(embeddingFaults);

  constructor(
    private readonly system: System,
    private readonly random: Random,
    private readonly counters: Counters,
    private readonly log: (line: string) => void,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      // Between them a relay must come to work; it takes seconds to start.
      this.course('relays', signal, [1_500, 5_000], (random) => this.disturbRelay(random)),
      this.course('vectors', signal, [1_000, 5_000], (random) => this.disturbVectors(random, signal)),
      this.course('model', signal, [1_000, 6_000], (random) => this.disturbModel(random, signal)),
      this.course('database', signal, [2_000, 10_000], (random) => this.disturbDatabase(random, signal)),
      this.course('api', signal, [20_000, 120_000], () => this.disturbApi()),
    ]);
  }

  private async course(
    name: string,
    signal: AbortSignal,
    [shortest, longest]: readonly [number, number],
    disturb: (random: Random) => Promise<void>,
  ): Promise<void> {
    const random = this.random.fork(name);
    while (!signal.aborted) {
      await pause(random.int(shortest, longest), signal);
      if (!signal.aborted) await disturb(random);
    }
  }

  private async disturbRelay(random: Random): Promise<void> {
    const running = this.system.relays.filter((one) => one.isRelaying);
    if (running.length === 0) return;
    const relay = random.pick(running);
    const what = random.weighted({ dieAtStep: 8, stallAtStep: 3, kill: 1, freeze: 2 });
    switch (what) {
      case 'dieAtStep': {
        const step = random.pick(relaySteps);
        relay.order({ step, after: random.int(1, 2), action: 'die' });
        this.log(`a relay is to die at step "${STEP_NAMES[step]}"`);
        return;
      }
      case 'stallAtStep': {
        const step = random.pick(relaySteps);
        relay.order({ step, after: random.int(1, 2), action: random.int(500, LONGEST_STALL_MS) });
        this.counters.fault(`relay: stands still at step "${STEP_NAMES[step]}"`);
        return;
      }
      case 'kill':
        this.log('a relay is killed');
        relay.kill();
        return;
      case 'freeze':
        this.counters.fault('relay: stopped (SIGSTOP) and continued');
        relay.freeze();
        await delay(random.int(500, LONGEST_STALL_MS));
        relay.thaw();
    }
  }

  private async disturbVectors(random: Random, signal: AbortSignal): Promise<void> {
    if (random.chance(0.05)) {
      const kind = random.pick(chaosKinds).kind;
      this.log(`the collection of ${kind} vanishes`);
      this.counters.fault('vector server: a collection vanishes');
      await this.system.loseCollection(kind).catch(() => undefined);
      return;
    }
    if (random.chance(0.2)) {
      this.log('the vector server is killed');
      this.system.vectorServer.signal('SIGKILL');
      return;
    }
    const fault = this.vectorFaults.next(random);
    this.log(`vector server: ${fault}`);
    // A refusal is a dead letter; too many of them and nothing else happens.
    const share = fault === 'status 400' ? 0.05 : random.pick([0.2, 0.5, 1]);
    this.system.vectorProxy.inject(fault, share);
    await this.untilHit(this.system.vectorProxy, random, signal);
    this.system.vectorProxy.clear();
  }

  private async disturbModel(random: Random, signal: AbortSignal): Promise<void> {
    const fault = this.embeddingFaults.next(random);
    this.log(`model: ${fault}`);
    this.system.embedding.inject(fault, random.pick([0.2, 0.5, 1]));
    await this.untilHit(this.system.embedding, random, signal);
    this.system.embedding.clear();
  }

  /** Leaves a fault for a while, and on until it has hit a request. */
  private async untilHit(server: { hits: number }, random: Random, signal: AbortSignal): Promise<void> {
    await pause(random.int(500, 3_000), signal);
    const deadline = performance.now() + LONGEST_WAIT_MS;
    while (server.hits === 0 && performance.now() < deadline && !signal.aborted) await pause(50, signal);
  }

  private async disturbDatabase(random: Random, signal: AbortSignal): Promise<void> {
    const { database, databaseProxy } = this.system;
    const what = random.weighted({ restart: 2, crash: 2, crashBackend: 2, cut: 4, deafen: 4, freeze: 2 });
    this.log(`database: ${what}`);
    switch (what) {
      case 'restart':
        this.counters.fault('PostgreSQL: fast shutdown and start');
        return database.restart();
      case 'crash':
        this.counters.fault('PostgreSQL: immediate shutdown (SIGQUIT), recovery and start');
        return database.crash();
      case 'crashBackend':
        this.counters.fault('PostgreSQL: a session killed (SIGKILL), all others ended and recovery');
        await this.system.killSession(random).catch(() => undefined);
        return;
      case 'cut':
        this.counters.fault('PostgreSQL: connections broken');
        databaseProxy.cut(random.pick([0.2, 0.5, 1]));
        return;
      case 'deafen':
        this.counters.fault('PostgreSQL: answers lost, then connections broken');
        databaseProxy.deafen(random.pick([0.2, 0.5]), random.int(50, 500));
        return;
      case 'freeze':
        this.counters.fault('PostgreSQL: connections silent');
        databaseProxy.freeze();
        await pause(random.int(200, 2_500), signal);
        databaseProxy.thaw();
    }
  }

  private disturbApi(): Promise<void> {
    this.log('the API server is killed');
    this.system.api.signal('SIGKILL');
    return Promise.resolve();
  }
}

/** Deals all of `cards` in some order before any comes again. */
class Deck<T> {
  private left: T[] = [];

  constructor(private readonly cards: readonly T[]) {}

  next(random: Random): T {
    if (this.left.length === 0) this.left = [...this.cards];
    const [card] = this.left.splice(random.int(0, this.left.length - 1), 1);
    return card as T;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

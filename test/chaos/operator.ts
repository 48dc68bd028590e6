import { setTimeout as delay } from 'node:timers/promises';

import type { Counters } from './counters';
import { MODELS } from './faults/embedding-server';
import type { Random } from '../support/random';
import type { CommandResult, ConfiguredModels, System } from './system';

/** What an operator who changes the model types, and how often. */
const COMMANDS = {
  'models prepare': 4,
  'models prepare --no-wait': 2,
  'models promote': 4,
  'models rollback': 2,
  'models drop': 2,
  reindex: 2,
  'reindex --drop': 1,
  'models status': 1,
} as const;
type OperatorCommand = keyof typeof COMMANDS;

/** As many as there are ways to say which of two models follows which, and that none does. */
const CONFIGURED: readonly ConfiguredModels[] = [[0, 1], [0, 1], [1, 0], [1, 0], [0], [1]];
const KILLED_SHARE = 0.2;
/** Of the others, most requests would meet a fault of the vector server's, and nothing would ever be promoted. */
const SPARED_SHARE = 0.85;
/** Beyond it a command waits for what will not come while everything breaks. */
const LONGEST_COMMAND_MS = 40_000;

interface Status {
  live: { name: string };
  standby: { role: 'next' | 'former'; model: { name: string } } | null;
}

/** Changes the model now and then, by the command line alone, whatever else goes on. Being refused is all right. */
export class Operator {
  private models: ConfiguredModels = [0, 1];

  constructor(
    private readonly system: System,
    private readonly random: Random,
    private readonly counters: Counters,
    private readonly log: (line: string) => void,
  ) {}

  /** One command after the other; the last is killed when `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let refused: OperatorCommand | undefined;
    while (!signal.aborted) {
      await delay(this.random.int(0, 2_000), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const command = refused !== undefined && this.random.chance(0.6) ? refused : this.random.weighted(COMMANDS);
      const models = this.random.pick(CONFIGURED);
      const livesMs = this.random.chance(KILLED_SHARE) ? this.random.int(1_000, 15_000) : LONGEST_COMMAND_MS;
      const killed = AbortSignal.any([signal, AbortSignal.timeout(livesMs)]);
      const isSpared = this.random.chance(SPARED_SHARE);
      const result = await this.system.commandWith({ models, isSpared, signal: killed }, ...command.split(' '));
      this.note(command, models, result);
      refused = result.code === 1 ? command : undefined;
    }
  }

  /**
   * With all well again and the outbox empty, a change that is under way is brought to its end, dropped or left.
   * @throws when that is refused
   */
  async settle(): Promise<void> {
    const { live, standby } = JSON.parse(await this.mustDo('models status', '--json')) as Status;
    // Begun with a model, it is gone on with by the same; otherwise the one that is not live follows.
    const next = standby?.role === 'next' ? standby.model.name : MODELS.find(({ name }) => name !== live.name)?.name;
    this.models = next === MODELS[1].name ? [0, 1] : [1, 0];
    const wanted = this.random.weighted({ drop: 2, prepare: 3, exchange: 3, leave: 1 });
    if (wanted === 'drop' || (wanted === 'leave' && !standby)) await this.mustDo('models drop');
    else if (standby?.role === 'former') {
      if (wanted === 'exchange') await this.mustDo('models rollback');
    } else {
      // Also where it is left: by whom it was begun may have been killed before he had queued everything.
      await this.mustDo('models prepare');
      if (wanted === 'exchange') await this.mustDo('models promote');
    }
  }

  private async mustDo(command: OperatorCommand, ...options: readonly string[]): Promise<string> {
    const result = await this.system.commandWith({ models: this.models }, ...command.split(' '), ...options);
    this.note(command, this.models, result);
    if (result.code !== 0) throw new Error(`kindred ${command} was refused: ${result.output}`);
    return result.output.slice(result.output.lastIndexOf('\n{') + 1);
  }

  private note(command: OperatorCommand, models: ConfiguredModels, { code, output }: CommandResult): void {
    const outcome = code === 0 ? 'acknowledged' : code === null ? 'unknown' : 'refused';
    this.counters.operation(`kindred ${command}`, outcome);
    if (code === null) this.counters.kill('command that changes the model');
    const said = output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
    this.log(
      `kindred ${command} with models ${models.join()}: ${code ?? 'killed'}, ${said.join(' | ').slice(0, 2_000)}`,
    );
  }
}

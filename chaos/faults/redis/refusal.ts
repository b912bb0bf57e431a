// How a living Redis is made to refuse commands: by its own settings, which the lab changes past every link and changes
// back. A probe sees the error that Redis answers.

import type { Environment } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { defineFault, type FaultKind, nothing } from '../fault.ts';

/** A command's words. */
type Command = readonly [name: string, ...args: string[]];

export interface Refusal {
  readonly kind: string;
  readonly set: readonly Command[];
  readonly unset: readonly Command[];
  /** What the probe asks, and how the refusal of it begins. */
  readonly probe: readonly string[];
  readonly reply: `-${string}`;
  readonly description: string;
}

/** A write that leaves nothing behind. */
export const writing = ['SET', 'failopen-lab-probe', '1', 'PX', '1'] as const;

/** A limiter's script writes: a Redis that refuses writes decides nothing. */
export function defineRefusal({ kind, set, unset, probe, reply, description }: Refusal): FaultKind {
  return defineFault({
    kind,
    family: 'redis',
    params: nothing,
    examples: [{}],
    needs: ['redis-config'],
    reaches: ['shared-store'],
    effect: () => 'cut-off',
    state: 'kept',
    endsBy: 'heal',
    inject: (environment) => send(environment, set),
    heal: (environment) => send(environment, unset),
    probe,
    bites: (ping) => ping.reply.startsWith(reply),
    describe: () => description,
  });
}

async function send({ driver, redis }: Environment, commands: readonly Command[]): Promise<void> {
  if (!redis.command) throw new LabError(`The ${driver} driver cannot give commands to the Redis that all share`);
  for (const command of commands) await redis.command(...command);
}

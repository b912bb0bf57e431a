// How a living Redis is made to refuse commands: by its own settings, which the lab changes past every link and changes
// back. A probe sees the error that Redis answers.

import { defineFault, type FaultKind, nothing } from '../fault.ts';
import { type Command, send } from './commands.ts';

export interface Refusal {
  readonly kind: string;
  readonly set: readonly Command[];
  readonly unset: readonly Command[];
  /** What the probe asks, and how the refusal of it begins. */
  readonly probe: readonly string[];
  readonly reply: `-${string}`;
  readonly description: string;
}

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

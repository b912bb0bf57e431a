// What Redis does once, at a word of the lab's, to go on as if nothing were: nothing is left to be healed. Redis's own
// statistics show a probe that it was done; the heal starts them anew.

import type { Environment } from '../../environment.ts';
import type { StateEffect } from '../../scenario.ts';
import { defineFault, type FaultKind, nothing } from '../fault.ts';
import { send } from './commands.ts';

export interface Deed {
  readonly kind: string;
  readonly state: StateEffect;
  readonly inject: (environment: Environment) => Promise<void>;
  readonly seen: Seen;
  readonly description: string;
}

/** What INFO tells in this section once it was done, as a pattern of Lua's. */
export interface Seen {
  readonly section: 'commandstats' | 'stats';
  readonly pattern: string;
}

export function defineDeed({ kind, state, inject, seen, description }: Deed): FaultKind {
  return defineFault({
    kind,
    family: 'redis',
    params: nothing,
    examples: [{}],
    needs: ['redis-config'],
    reaches: ['shared-store'],
    effect: () => 'none',
    state,
    endsBy: 'heal',
    inject,
    heal: forget,
    probe: probeOf(seen),
    bites: isSeen,
    describe: () => description,
  });
}

/** Asks Redis whether it was done. */
export function probeOf({ section, pattern }: Seen): readonly string[] {
  return ['EVAL', `return redis.call('INFO', '${section}'):find('${pattern}') and 1 or 0`, '0'];
}

export function isSeen({ reply }: { readonly reply: string }): boolean {
  return reply === ':1';
}

/** Starts the statistics anew. */
export function forget(environment: Environment): Promise<void> {
  return send(environment, [['CONFIG', 'RESETSTAT']]);
}

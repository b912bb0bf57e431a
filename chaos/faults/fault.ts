// What a fault is: it knows how to begin, how to end, and what an independent probe sees while it lasts.

import type { Environment, Instance } from '../environment.ts';
import type { Ping } from '../host/ping.ts';

export interface Fault {
  readonly name: string;
  /** Redis forgets every bucket when this is injected; perhaps: a replica replaces it, which had heard of most. */
  readonly losesState: boolean | 'perhaps';
  /** Puts it on one instance's links, or on what all share. */
  readonly inject: (environment: Environment, instance: Instance) => Promise<void>;
  /** Takes it off again. Safe to call when it was never put on. */
  readonly heal: (environment: Environment, instance: Instance) => Promise<void>;
  /** Whether a PING through a faulted store link ended as only this fault makes it end. */
  readonly bites: (ping: Ping) => boolean;
}

/** The instances that a fault is put on. */
export function faulted(environment: Environment): Instance[] {
  return environment.instances.filter(({ control }) => !control);
}

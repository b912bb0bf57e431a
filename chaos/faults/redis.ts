// Faults of Redis itself, shared by all instances: putting one on twice does nothing more.

import type { Fault } from './fault.ts';

/** SIGKILL; healed by a restart, empty, on the same port. */
export function redisKill(): Fault {
  return {
    name: 'redis-kill',
    losesState: true,
    inject: ({ redis }) => redis.kill(),
    heal: ({ redis }) => redis.start(),
    // Toxiproxy accepts, finds no upstream and closes.
    bites: ({ outcome }) => outcome === 'closed' || outcome === 'refused',
  };
}

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

/**
 * SIGKILL of one master of several nodes: a replica takes its place by itself, while the fault lasts. Healed by a restart,
 * empty, in the same place, after which the killed one learns that it is a replica now. Replication is asynchronous, so
 * the last takes before the kill may be lost with it.
 */
export function masterKill(): Fault {
  return {
    name: 'master-kill',
    losesState: 'perhaps',
    inject: ({ redis }) => redis.kill(),
    heal: ({ redis }) => redis.start(),
    // Refused by its machine, or closed by a Toxiproxy of the lab's that finds nobody there.
    bites: ({ outcome }) => outcome === 'refused' || outcome === 'closed',
  };
}

// Faults of the network between limiter and Redis, by toxics on the store links.
//
//   limiter ──upstream──▶ toxiproxy ──▶ redis
//           ◀─downstream─

import type { Instance, Toxic } from '../environment.ts';
import { LabError } from '../errors.ts';
import type { Fault } from './fault.ts';

const bothStreams = ['upstream', 'downstream'] as const;

/** The same toxics on every faulted store link. */
function toxics(name: string, toxics: readonly Toxic[], bites: Fault['bites']): Fault {
  return {
    name,
    losesState: false,
    async inject({ toxiproxy }, instance) {
      const proxy = proxyOf(instance);
      await Promise.all(toxics.map((toxic) => toxiproxy.addToxic(proxy, toxic)));
    },
    heal: ({ toxiproxy }, instance) => toxiproxy.removeToxics(proxyOf(instance)),
    bites,
  };
}

function proxyOf({ name, storeLink }: Instance): string {
  if (storeLink.proxy === undefined)
    throw new LabError(`${name} reaches its Redis directly: there is no link to break`);
  return storeLink.proxy;
}

/** Drops all data in both directions. Connections stay up, and are closed when it is taken off: Toxiproxy's `timeout` 0. */
export function partition(): Fault {
  const drop = bothStreams.map((stream) => ({ type: 'timeout', stream, attributes: { timeout: 0 } }) as const);
  return toxics('partition', drop, ({ outcome }) => outcome === 'silent');
}

/** Holds all data back in both directions, and delivers it late, when it is taken off: Toxiproxy's `bandwidth` 0. */
export function stall(): Fault {
  const hold = bothStreams.map((stream) => ({ type: 'bandwidth', stream, attributes: { rate: 0 } }) as const);
  return toxics('stall', hold, ({ outcome }) => outcome === 'silent');
}

/** Delays data by `latencyMs` ± `jitterMs` in each direction. */
export function latency(latencyMs: number, jitterMs: number): Fault {
  const attributes = { latency: latencyMs, jitter: jitterMs };
  const delay = bothStreams.map((stream) => ({ type: 'latency', stream, attributes }) as const);
  const roundTripMsMin = 2 * (latencyMs - jitterMs);
  return toxics('latency', delay, ({ outcome, ms }) => outcome === 'silent' || ms >= roundTripMsMin * 0.9);
}

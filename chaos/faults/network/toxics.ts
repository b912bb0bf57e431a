// How faults are put on a link: by Toxiproxy's toxics. Most are on a store link.
//
//   limiter ──upstream──▶ toxiproxy ──▶ redis
//           ◀─downstream─

import { z } from 'zod';
import type { Environment, Toxic } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import type { FaultDefinition, Target } from '../fault.ts';

export const streams = {
  both: ['upstream', 'downstream'],
  upstream: ['upstream'],
  downstream: ['downstream'],
} as const;

/** Which of a link's streams a fault is on. `downstream` alone: Redis does what it is asked to, and its reply is hit. */
export type Direction = keyof typeof streams;
export const direction = z.enum(['both', 'upstream', 'downstream']).default('both');

/** How often a round trip meets the fault. */
export function passesOf(direction: Direction): number {
  return streams[direction].length;
}

/** What travels that way, in words. */
export function wayOf(direction: Direction): string {
  return {
    both: 'between the limiters and Redis',
    upstream: 'from the limiters to Redis',
    downstream: 'from Redis to the limiters',
  }[direction];
}

/** Of a fault that some connections escape: the share of those that it is on. */
export interface Partly {
  readonly share: number;
}
export const partly = z.strictObject({ share: z.number().min(0.2).max(0.8) });

/** The chance that none of the connections that the lab looks through is hit. */
const missed = 1e-6;

/** How many connections the lab has to look through. */
export function looksFor({ share }: Partly): number {
  return Math.ceil(Math.log(missed) / Math.log(1 - share));
}

/** What all faults of a store link have in common. */
export const ofStoreLinks = {
  family: 'network',
  needs: ['toxics'],
  reaches: ['store-links', 'one-store-link'],
  state: 'kept',
  endsBy: 'heal',
} as const satisfies Partial<FaultDefinition<unknown>>;

/**
 * The same toxic on the target's link, in that direction. It is named after the fault: others may be on the link as well, and
 * are not healed with it.
 */
export function byToxic<Parameters>(
  kind: string,
  toxic: (params: Parameters) => Omit<Toxic, 'name' | 'stream'>,
  directionOf: (params: Parameters) => Direction = () => 'both',
): Pick<FaultDefinition<Parameters>, 'inject' | 'heal'> {
  return {
    async inject({ toxiproxy }, target, params) {
      const proxy = proxyOf(target);
      const on = streams[directionOf(params)];
      await Promise.all(
        on.map((stream) => toxiproxy.addToxic(proxy, { ...toxic(params), name: nameOf(kind, stream), stream })),
      );
    },
    heal: ({ toxiproxy }, target) =>
      toxiproxy.removeToxics(
        proxyOf(target),
        streams.both.map((stream) => nameOf(kind, stream)),
      ),
  };
}

/** Gives other attributes to the toxics that `byToxic` has put on the target's link, in both directions. */
export async function changeToxics(
  kind: string,
  { toxiproxy }: Environment,
  target: Target,
  toxic: Omit<Toxic, 'name' | 'stream'>,
): Promise<void> {
  const proxy = proxyOf(target);
  await Promise.all(
    streams.both.map((stream) => toxiproxy.changeToxic(proxy, { ...toxic, name: nameOf(kind, stream), stream })),
  );
}

function nameOf(kind: string, stream: Toxic['stream']): string {
  return `${kind}_${stream}`;
}

/** The name of the target's proxy. Throws where it has none. */
export function proxyOf({ name, instance, at }: Target): string {
  const proxy = at === 'front-link' ? instance?.frontProxy : instance?.storeLink.proxy;
  if (proxy === undefined && at === 'front-link')
    throw new LabError(`${name} is asked directly: there is no front link to break`);
  if (proxy === undefined) throw new LabError(`${name} reaches its Redis directly: there is no link to break`);
  return proxy;
}

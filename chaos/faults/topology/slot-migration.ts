// Slots of a cluster move to another master while they are used, the most populated ones and one of the lab's. All but one
// have moved: who asks the former owner is told so by MOVED. One stays half-way: who asks for a key that has gone already, or
// is new, is sent to the other master by ASK, and whoever asks for some of both at once is told to try again.

import { Command } from 'ioredis';
import { z } from 'zod';
import type { Environment, NodeHandle } from '../../environment.ts';
import { defineFault } from '../fault.ts';
import { cluster, labKey, labSlot, nodesOf } from './nodes.ts';

/** That one node may be told to move at once. */
const keysMax = 100;
const moveMsMax = 1000;

/** The slots that have left their owner, or have begun to. */
const inPlace = new WeakMap<Environment, number[]>();

export const slotMigration = defineFault({
  kind: 'slot-migration',
  family: 'topology',
  params: z.strictObject({ slots: z.int().min(1).max(100) }),
  examples: [{ slots: 4 }],
  needs: ['redis-config', 'topology'],
  reaches: ['shared-store'],
  effect: () => 'degraded',
  state: 'kept',
  endsBy: 'heal',
  async inject(environment, _target, { slots }) {
    const [from, to] = nodesOf(environment, 3) as readonly [NodeHandle, NodeHandle];
    const [half, ...others] = await fullestSlotsOf(from, slots);
    const moved: number[] = [];
    inPlace.set(environment, moved);
    for (const slot of [labSlot, ...others, ...(half === undefined ? [] : [half])]) {
      moved.push(slot);
      await open(slot, from, to);
      if (slot !== half) await finish(slot, from, to);
    }
    if (half === undefined) return; // nobody has asked for a key yet
    const keys = await keysIn(half, from);
    await move(keys.slice(0, Math.ceil(keys.length / 2)), from, to);
  },
  async heal(environment) {
    const moved = inPlace.get(environment);
    if (!moved) return;
    const [from, to] = nodesOf(environment, 3) as readonly [NodeHandle, NodeHandle];
    for (let slot = moved.at(-1); slot !== undefined; slot = moved.at(-1)) {
      await finish(slot, from, to);
      await open(slot, to, from);
      await finish(slot, to, from);
      moved.pop();
    }
    inPlace.delete(environment);
  },
  probe: ['GET', labKey],
  bites: ({ reply }) => reply.startsWith('-MOVED'),
  describe: ({ slots }) => `Another master got ${slots + 1} slots of the cluster, one of them by half`,
});

async function open(slot: number, from: NodeHandle, to: NodeHandle): Promise<void> {
  await cluster(to, 'SETSLOT', String(slot), 'IMPORTING', await cluster(from, 'MYID'));
  await cluster(from, 'SETSLOT', String(slot), 'MIGRATING', await cluster(to, 'MYID'));
}

/** Moves what is left of the slot's keys, and then the slot. */
async function finish(slot: number, from: NodeHandle, to: NodeHandle): Promise<void> {
  for (let keys = await keysIn(slot, from); keys.length > 0; keys = await keysIn(slot, from))
    await move(keys, from, to);
  const owner = await cluster(to, 'MYID');
  for (const node of [to, from]) await cluster(node, 'SETSLOT', String(slot), 'NODE', owner);
}

async function keysIn(slot: number, { command }: NodeHandle): Promise<readonly string[]> {
  return (await command('CLUSTER', 'GETKEYSINSLOT', String(slot), String(keysMax))) as string[];
}

/** Each in one step: nobody sees it in both places, or in none. What has expired meanwhile is full again in both. */
async function move(keys: readonly string[], from: NodeHandle, to: NodeHandle): Promise<void> {
  const [host = '', port = ''] = to.address.split(':');
  await from.command('MIGRATE', host, port, '', '0', String(moveMsMax), 'KEYS', ...keys);
}

/** At most so many, the one with most keys first; none of them the lab's. */
async function fullestSlotsOf({ command }: NodeHandle, count: number): Promise<number[]> {
  const keys = (await command('KEYS', '*')) as string[];
  const slots = Map.groupBy(keys, (key) => new Command('get', [key]).getSlot());
  const fullest = [...slots].sort(([, one], [, other]) => other.length - one.length).map(([slot]) => slot);
  return fullest.filter((slot) => slot !== labSlot).slice(0, count);
}

// What a node answers to CLUSTER SLOTS, checked before ioredis counts on it: it walks the ranges as they are given, so
// that a null among them is an uncaught TypeError, and a range that doesn't end is a loop that doesn't. And why a node does
// not answer, of which ioredis knows only that the connection is closed.
//
//   [[first slot, last slot, [host, port, …], …replicas], …]

import type { Socket } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { StoreError } from '../core/store.ts';
import { connectionErrorOf } from './guard.ts';

const slotMax = 16_383;

type Callback = (error: Error | null | undefined, reply: unknown) => void;

/** Sees to what is asked through this node: ioredis asks each time on a connection that it copies from one. */
export function checkSlotsOf(node: Redis): void {
  node.duplicate = (override?: Partial<RedisOptions>) => {
    const copy = Redis.prototype.duplicate.call(node, override);
    let cause: StoreError | undefined;
    copy.on('error', (error) => {
      cause ??= connectionErrorOf(error, copy.stream as Socket | undefined);
    });
    copy.cluster = ((subcommand: 'SLOTS', callback: Callback) =>
      Redis.prototype.cluster.call(
        copy,
        subcommand as never,
        ((error: Error | null | undefined, reply: unknown) => {
          const failure = error && (cause ?? error);
          if (failure || !isSlots(reply)) callback(failure ?? misfit, reply);
          else callback(undefined, withHosts(reply, node.options.host));
        }) as never,
      )) as typeof copy.cluster;
    return copy;
  };
}

const misfit = new StoreError('protocol', 'Redis answered CLUSTER SLOTS with something that is no list of slots');

/** Nodes of which the cluster does not know the host are where the one is that was asked: https://redis.io/docs/latest/commands/cluster-slots/ */
function withHosts(slots: Slots, host: string | undefined): Slots {
  return slots.map(([first, last, ...nodes]) => [
    first,
    last,
    ...nodes.map(([known, ...rest]): SlotNode => [known || host, ...rest]),
  ]);
}

type SlotNode = readonly [host: string | null | undefined, ...rest: unknown[]];
type Slots = readonly (readonly [first: number, last: number, ...nodes: SlotNode[]])[];

function isSlots(reply: unknown): reply is Slots {
  return Array.isArray(reply) && reply.every(isRange);
}

function isRange(range: unknown): boolean {
  if (!Array.isArray(range)) return false;
  const [first, last, ...nodes] = range;
  return isWhole(first, slotMax) && isWhole(last, slotMax) && nodes.every(isNode);
}

/** The host is null, or empty, where the cluster doesn't know it. */
function isNode(node: unknown): boolean {
  if (!Array.isArray(node)) return false;
  const [host, port] = node;
  return (host === null || typeof host === 'string') && isWhole(port, 65_535);
}

function isWhole(value: unknown, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

// Redis as several nodes: what the lab says to each of them, past every link.

import type { Environment, NodeHandle } from '../../environment.ts';
import { LabError } from '../../errors.ts';

/** A key of nobody's, which the first node holds as long as nothing is wrong, and its slot. */
export const labKey = 'failopen-lab-probe-0';
export const labSlot = 2623;

/** The first is the one that is hit. Throws unless there are as many of them. */
export function nodesOf({ redis }: Environment, least: number): readonly NodeHandle[] {
  const { nodes = [] } = redis;
  if (nodes.length < least) throw new LabError(`Redis has ${nodes.length} nodes here; it takes ${least}`);
  return nodes;
}

/** Throws unless there are any. */
export function sentinelsOf({ redis }: Environment): readonly NodeHandle[] {
  const { sentinels = [] } = redis;
  if (sentinels.length === 0) throw new LabError('No Sentinel watches the Redis here; it takes one');
  return sentinels;
}

/** What CLUSTER tells of a node, or does there. */
export async function cluster({ command }: NodeHandle, ...words: string[]): Promise<string> {
  return String(await command('CLUSTER', ...words));
}

/** Whatever it refuses with such an error is done already. */
export async function unlessDone(isDone: RegExp, doing: Promise<unknown>): Promise<void> {
  await doing.catch((error: Error) => {
    if (!isDone.test(error.message)) throw error;
  });
}

// What the lab says to the Redis that all share, past every link.

import { until } from '../../clock.ts';
import type { Environment, RedisHandle } from '../../environment.ts';
import { LabError } from '../../errors.ts';

/** A command's words. */
export type Command = readonly [name: string, ...args: string[]];

/** A write that leaves nothing behind. */
export const writing = ['SET', 'failopen-lab-probe', '1', 'PX', '1'] as const;

/** Throws when the driver has no way to it. */
export function commandOf({ driver, redis }: Environment): NonNullable<RedisHandle['command']> {
  if (!redis.command) throw new LabError(`The ${driver} driver cannot give commands to the Redis that all share`);
  return redis.command;
}

/** One after another. */
export async function send(environment: Environment, commands: readonly Command[]): Promise<void> {
  const command = commandOf(environment);
  for (const each of commands) await command(...each);
}

/** Again from the first, until Redis has taken all: it may load still, and the lab may have to connect anew. False after `msMax`. */
export async function sendOnceTaken(
  environment: Environment,
  msMax: number,
  commands: readonly Command[],
): Promise<boolean> {
  const taken = await until(msMax, 20, () =>
    send(environment, commands).then(
      () => true,
      () => undefined,
    ),
  );
  return taken ?? false;
}

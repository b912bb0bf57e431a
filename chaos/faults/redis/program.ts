// The program of the Redis that all share, where it listens, and where it saves.

import { join } from 'node:path';
import type { Environment, RedisHandle, RedisProgram } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { commandOf } from './commands.ts';

/** Throws when the driver has no way to it. */
export function programOf({ driver, redis }: Environment): RedisProgram {
  if (!redis.program) throw new LabError(`The ${driver} driver cannot reach the program of the Redis that all share`);
  return redis.program;
}

/** Throws when the lab has no way to it past the links. */
export function placeOf({ driver, redis }: Environment): NonNullable<RedisHandle['at']> {
  if (!redis.at) throw new LabError(`The ${driver} driver cannot reach the Redis that all share`);
  return redis.at;
}

/** The file to which Redis saves its data. */
export async function dumpOf(environment: Environment): Promise<string> {
  const command = commandOf(environment);
  const [, directory = ''] = (await command('CONFIG', 'GET', 'dir')) as readonly string[];
  const [, file = ''] = (await command('CONFIG', 'GET', 'dbfilename')) as readonly string[];
  return join(directory, file);
}

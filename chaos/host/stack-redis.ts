// The Redis of a Compose stack, which is not the lab's own: whether it is as a run found it, and what makes it so again.

import { createHash } from 'node:crypto';
import { LabError } from '../errors.ts';
import type { Engine } from './engine.ts';

export interface StackRedis {
  /** Of its Compose service. */
  readonly name: string;
  /** Of its container. */
  readonly id: string;
  /** By `settingsOf`, as the run found it. */
  readonly settings: string;
}

export type Change = 'stopped' | 'paused' | 'other settings';

/** All that a command can change of how it answers: its configuration, its users, its role. One that hangs is not waited for. */
const tell = ["CONFIG GET '*' | paste - - | sort", 'ACL LIST', 'ROLE | head -1'] // settings come in another order each time
  .map((command) => `timeout 3 redis-cli ${command}`)
  .join('; ');

/** A digest of its settings: SHA-256, in hexadecimal digits. Of a Redis that refuses to tell them it is another one. */
export async function settingsOf({ client }: Engine, id: string): Promise<string> {
  const { output } = await client.container.exec(client.container.getById(id), ['sh', '-c', tell]);
  return createHash('sha256').update(output).digest('hex');
}

/** Undefined when it is as it was found, or is gone. Throws when the container is another one. */
export async function changeOf(engine: Engine, { name, id, settings }: StackRedis): Promise<Change | undefined> {
  const found = await engine.dockerode
    .getContainer(id)
    .inspect()
    .catch(() => undefined);
  if (!found) return undefined;
  const { State: state, Config: config } = found;
  if (config.Labels['com.docker.compose.service'] !== name)
    throw new LabError(`container ${id.slice(0, 12)} is not the service ${name} of a Compose stack; left alone`);
  if (state.Paused) return 'paused';
  if (!state.Running) return 'stopped';
  return (await settingsOf(engine, id)) === settings ? undefined : 'other settings';
}

/**
 * Starts it, wakes it, or starts it anew: what commands have changed stands in no file, and goes. Returns what was the
 * matter. Throws as `changeOf` does.
 */
export async function putRight(engine: Engine, redis: StackRedis): Promise<Change | undefined> {
  const change = await changeOf(engine, redis);
  const container = engine.dockerode.getContainer(redis.id);
  if (change === 'paused') await container.unpause();
  if (change === 'stopped') await container.start();
  if (change === 'other settings') await container.restart({ t: 0 });
  return change;
}

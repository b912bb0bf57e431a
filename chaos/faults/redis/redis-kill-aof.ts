// SIGKILL of a Redis that keeps an append-only file; healed by a restart from that file. It tells clients of a write only
// once the file has it, but for what waits while the disk is slow.

import { until } from '../../clock.ts';
import type { Environment } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { defineFault, nothing } from '../fault.ts';
import { commandOf, send, sendOnceTaken } from './commands.ts';
import { programOf } from './program.ts';

const writtenMsMax = 5000;
const loadedMsMax = 5000;

export const redisKillAof = defineFault({
  kind: 'redis-kill-aof',
  family: 'redis',
  params: nothing,
  examples: [{}],
  needs: ['redis-process', 'redis-config', 'redis-program'],
  reaches: ['shared-store'],
  effect: () => 'cut-off',
  state: 'perhaps-lost',
  endsBy: 'heal',
  async inject(environment) {
    await send(environment, [['CONFIG', 'SET', 'appendonly', 'yes']]);
    const written = await until(writtenMsMax, 20, async () => (await isWritten(environment)) || undefined);
    if (!written) throw new LabError(`Redis had no append-only file within ${writtenMsMax / 1000} s`);
    await environment.redis.kill();
  },
  async heal(environment) {
    await programOf(environment).startWith({ appendonly: 'yes' });
    const loaded = await sendOnceTaken(environment, loadedMsMax, [['CONFIG', 'SET', 'appendonly', 'no']]);
    if (!loaded) throw new LabError(`Redis had not loaded its append-only file within ${loadedMsMax / 1000} s`);
  },
  // Toxiproxy accepts, finds no upstream and closes.
  bites: ({ outcome }) => outcome === 'closed' || outcome === 'refused',
  describe: () => 'Redis was killed, and came back with what its append-only file held',
});

async function isWritten(environment: Environment): Promise<boolean> {
  const info = String(await commandOf(environment)('INFO', 'persistence'));
  return ['aof_enabled:1', 'aof_rewrite_in_progress:0', 'aof_rewrite_scheduled:0'].every((line) => info.includes(line));
}

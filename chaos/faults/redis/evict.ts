// Redis is over its maxmemory for a moment, and evicts keys at random until it is not: some buckets are lost, and nobody
// knows which. One that holds nothing evicts nothing: the lab's look tells then that the fault did not bite.

import { sleep } from '../../clock.ts';
import type { Environment } from '../../environment.ts';
import { commandOf, send } from './commands.ts';
import { defineDeed } from './deed.ts';

/** Redis is given less memory than it uses by this, and by this more each time until it evicts. */
const stepBytes = 16_384;
const stepsMax = 50;
/** Redis evicts a little at a time. */
const stepMs = 20;

export const evict = defineDeed({
  kind: 'evict',
  state: 'perhaps-lost',
  async inject(environment) {
    await send(environment, [['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random']]);
    try {
      await untilEvicted(environment);
    } finally {
      await send(environment, [
        ['CONFIG', 'SET', 'maxmemory', '0'],
        ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'],
      ]);
    }
  },
  seen: { section: 'stats', pattern: 'evicted_keys:[1-9]' },
  description: 'Redis ran out of memory, and evicted some of the buckets',
});

/** Or until there is nothing to evict. */
async function untilEvicted(environment: Environment): Promise<void> {
  const usedBytes = await figure(environment, 'memory', 'used_memory');
  const before = await figure(environment, 'stats', 'evicted_keys');
  for (let step = 1; step <= stepsMax; step++) {
    const maxBytes = Math.max(1, usedBytes - step * stepBytes);
    await send(environment, [['CONFIG', 'SET', 'maxmemory', String(maxBytes)]]);
    await sleep(stepMs);
    if ((await figure(environment, 'stats', 'evicted_keys')) > before) return;
    if ((await commandOf(environment)('DBSIZE')) === 0) return;
  }
}

async function figure(environment: Environment, section: string, name: string): Promise<number> {
  const info = String(await commandOf(environment)('INFO', section));
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
}

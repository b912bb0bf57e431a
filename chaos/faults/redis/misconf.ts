// Redis cannot save its data, and so refuses writes with MISCONF. A directory stands where its file is to be: to this the
// user that Redis runs as makes no difference.

import { mkdir, rmdir } from 'node:fs/promises';
import { until } from '../../clock.ts';
import type { Environment } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { defineFault, nothing } from '../fault.ts';
import { commandOf, send, writing } from './commands.ts';
import { dumpOf } from './program.ts';

const saveMsMax = 5000;
/** It saves by itself so seldom that it never comes to it; but it is one that is to save. */
const seldom = '86400 1000000000';

export const misconf = defineFault({
  kind: 'misconf',
  family: 'redis',
  params: nothing,
  examples: [{}],
  needs: ['redis-config'],
  reaches: ['shared-store'],
  effect: () => 'cut-off',
  state: 'kept',
  endsBy: 'heal',
  async inject(environment) {
    await mkdir(await dumpOf(environment), { recursive: true });
    await send(environment, [['CONFIG', 'SET', 'save', seldom], ['BGSAVE']]);
    const failed = await until(saveMsMax, 20, async () => (await hasFailed(environment)) || undefined);
    if (!failed) throw new LabError(`Redis did not fail to save within ${saveMsMax / 1000} s`);
  },
  async heal(environment) {
    await send(environment, [['CONFIG', 'SET', 'save', '']]);
    await rmdir(await dumpOf(environment)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  },
  probe: writing,
  bites: ({ reply }) => reply.startsWith('-MISCONF'),
  describe: () => 'Redis could not save its data, and refused every write',
});

async function hasFailed(environment: Environment): Promise<boolean> {
  return String(await commandOf(environment)('INFO', 'persistence')).includes('rdb_last_bgsave_status:err');
}

// Somebody puts a list in the place of one bucket: Redis refuses each take of that key with WRONGTYPE, and decides all
// others. The bucket is put aside, under a name of the lab's, and comes back with the heal. In a Redis that holds nothing
// there is none to replace: the lab's look tells then that the fault did not bite.

import type { Environment } from '../../environment.ts';
import { defineFault, nothing } from '../fault.ts';
import { commandOf } from './commands.ts';
import { isSeen } from './deed.ts';

/** Holds the name of the key that is hit. */
const noted = 'failopen-lab-wrong-type';
const aside = `${noted}-aside`;

/** Any key is as good as another. */
const put = `local key = redis.call('RANDOMKEY')
if not key then return 0 end
redis.call('SET', '${noted}', key)
redis.call('RENAME', key, '${aside}')
redis.call('RPUSH', key, 'no bucket')
return 1`;

/** What was put aside may have expired meanwhile: its bucket is full again. */
const back = `local key = redis.call('GET', '${noted}')
if not key then return 0 end
redis.call('DEL', key, '${noted}')
if redis.call('EXISTS', '${aside}') == 1 then redis.call('RENAME', '${aside}', key) end
return 1`;

const look = `local key = redis.call('GET', '${noted}')
return key and redis.call('TYPE', key).ok == 'list' and 1 or 0`;

export const wrongType = defineFault({
  kind: 'wrong-type',
  family: 'redis',
  params: nothing,
  examples: [{}],
  needs: ['redis-config'],
  reaches: ['shared-store'],
  effect: () => 'degraded',
  state: 'kept',
  endsBy: 'heal',
  async inject(environment) {
    await run(environment, put);
  },
  async heal(environment) {
    await run(environment, back);
  },
  probe: ['EVAL', look, '0'],
  bites: isSeen,
  describe: () => 'One key in Redis held a list in place of a bucket',
});

function run(environment: Environment, script: string): Promise<unknown> {
  return commandOf(environment)('EVAL', script, '0');
}

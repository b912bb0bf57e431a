// A gray failure of the Redis that all share.

import { dutyParams, ofDuty, stopping } from '../duty-cycle.ts';
import { defineFault } from '../fault.ts';
import { Lasting } from '../lasting.ts';
import { programOf } from './program.ts';

const inPlace = new Lasting();

export const redisGray = defineFault({
  kind: 'redis-gray',
  family: 'redis',
  params: dutyParams,
  examples: [{ stopMs: 30, eachMs: 60 }],
  needs: ['redis-program'],
  reaches: ['shared-store'],
  effect: () => 'degraded',
  state: 'kept',
  endsBy: 'heal',
  inject: (environment, _target, duty) => inPlace.begin(environment, stopping(programOf(environment), duty)),
  heal: (environment) => inPlace.end(environment),
  ...ofDuty,
  describe: ({ stopMs, eachMs }) => `Redis stood still for ${stopMs} of each ${eachMs} ms`,
});

// A gray failure of one instance, as when its event loop is blocked again and again.

import { dutyParams, ofDuty, stopping } from '../duty-cycle.ts';
import { defineFault } from '../fault.ts';
import { Lasting } from '../lasting.ts';
import { answering, look, processOf } from './instance.ts';

const inPlace = new Lasting();

export const instanceGray = defineFault({
  kind: 'instance-gray',
  family: 'process',
  params: dutyParams,
  examples: [{ stopMs: 200, eachMs: 400 }],
  needs: ['limiter-process'],
  reaches: ['one-instance'],
  effect: () => 'unavailable', // for half of the time, and what comes then is late
  state: 'kept',
  endsBy: 'heal',
  async inject(environment, target, duty) {
    const process = processOf(environment, target);
    await inPlace.begin(process, stopping(process, duty));
  },
  async heal(environment, target) {
    await inPlace.end(processOf(environment, target));
    await answering(target);
  },
  look,
  ...ofDuty,
  describe: ({ stopMs, eachMs }) => `One limiter stood still for ${stopMs} of each ${eachMs} ms`,
});

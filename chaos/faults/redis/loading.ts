// Redis has come up again, and still loads what it had saved before it was killed: it refuses with LOADING. A delay for each
// key makes it slow. So that it loads for long enough, however few keys there are, it is given more, of a size that makes it
// answer between two of them.

import { rm } from 'node:fs/promises';
import { LabError } from '../../errors.ts';
import { defineFault, nothing } from '../fault.ts';
import { send, sendOnceTaken, writing } from './commands.ts';
import { dumpOf, programOf } from './program.ts';

const more = 3000;
const delayUs = 20_000;
/** Of each; Redis answers whenever it has loaded so much. */
const bytes = 1024;
const usualBytes = 2_097_152;
const loadedMsMax = 5000;

const forEach = (command: string, args = '') =>
  `for i = 1, ${more} do redis.call('${command}', 'failopen-lab-loading-' .. i${args}) end`;

export const loading = defineFault({
  kind: 'loading',
  family: 'redis',
  params: nothing,
  examples: [{}],
  needs: ['redis-process', 'redis-config', 'redis-program'],
  reaches: ['shared-store'],
  effect: () => 'cut-off',
  state: 'perhaps-lost',
  endsBy: 'heal',
  async inject(environment) {
    await send(environment, [
      ['EVAL', forEach('SET', ', ARGV[1]'), '0', 'x'.repeat(bytes)],
      ['CONFIG', 'SET', 'rdbcompression', 'no'],
      ['SAVE'],
    ]);
    await environment.redis.kill();
    await programOf(environment).startWith(loadingBy(delayUs, bytes));
  },
  async heal(environment) {
    const settings = Object.entries(loadingBy(0, usualBytes)).flat();
    // Redis takes the settings while it loads, but no script.
    const done = await sendOnceTaken(environment, loadedMsMax, [
      ['CONFIG', 'SET', ...settings],
      ['EVAL', forEach('UNLINK'), '0'],
    ]);
    if (!done) throw new LabError(`Redis had not loaded its data within ${loadedMsMax / 1000} s`);
    await rm(await dumpOf(environment), { force: true });
  },
  probe: writing,
  bites: ({ reply }) => reply.startsWith('-LOADING'),
  describe: () => 'Redis was killed, and loaded its data for long before it answered again',
});

function loadingBy(delayUs: number, answerBytes: number): Readonly<Record<string, string>> {
  return { 'key-load-delay': String(delayUs), 'loading-process-events-interval-bytes': String(answerBytes) };
}

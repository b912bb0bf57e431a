import { expect, it } from 'vitest';
import { sleep } from '../../../chaos/clock.ts';
import type { Environment } from '../../../chaos/environment.ts';
import type { Fault } from '../../../chaos/faults/fault.ts';
import { faultOf } from '../../../chaos/faults/index.ts';
import { putOn, type Stage } from '../../../chaos/run/fault-lifetime.ts';
import { queue } from '../../../chaos/run/queue.ts';
import type { FaultSpec } from '../../../chaos/scenario.ts';
import { sinceZeroMs, zeroIn } from '../../../chaos/watch/observer.ts';
import { usualBounds } from '../../support/history-builder.ts';

it.each([
  ['two of the store', { kind: 'flush-all' }, { kind: 'script-flush' }],
  ['one of an instance that cannot answer', { kind: 'instance-kill' }, { kind: 'flush-all' }],
  ['one while an instance cannot answer', { kind: 'flush-all' }, { kind: 'instance-kill' }],
])(
  'puts no fault on until an earlier one is healed that it must not meet, however late that is: %s',
  async (...[, first, then]) => {
    const done: string[] = [];
    const zero = zeroIn(0);
    const reached = (ms: number) => sleep(Math.max(0, ms - sinceZeroMs(zero)));
    const stage = {
      environment: {
        driver: 'none',
        instances: [{ name: 'limiter-1', control: false }],
        redis: {},
      } as unknown as Environment,
      recorder: { record: () => {} },
      phases: { injecting: () => {}, healing: () => {}, healed: () => {} },
      inPlace: new Map(),
      stop: new AbortController().signal,
      ...{ zero, reached, oneByOne: queue() },
    } as unknown as Stage;
    const occurrence = (use: FaultSpec, name: string, atMs: number, healingMs: number) => {
      const fault: Fault = {
        ...faultOf(use),
        look: async () => ({ outcome: 'pong', ms: 0, reply: '' }),
        inject: async () => void done.push(`${name} is on`),
        heal: async () => {
          await sleep(healingMs);
          done.push(`${name} is off`);
        },
      };
      return { fault, planned: { use, ...fault.facts(usualBounds), atMs, forMs: 50 } };
    };
    await Promise.all([
      putOn(occurrence(first, 'one', 0, 400), stage),
      putOn(occurrence(then, 'the other', 200, 0), stage),
    ]);
    expect(done).toEqual(['one is on', 'one is off', 'the other is on', 'the other is off']);
  },
);

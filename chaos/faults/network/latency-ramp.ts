// Latency that grows, in each direction, from nothing to `latencyMs` in equal steps over `overMs`, and stays there.
//
//   latencyMs            ┌───────
//                    ┌───┘
//                ┌───┘
//   0 ───────────┘
//             inject     overMs

import { z } from 'zod';
import { every } from '../../clock.ts';
import { defineFault } from '../fault.ts';
import { Lasting } from '../lasting.ts';
import { byToxic, changeToxics, ofStoreLinks } from './toxics.ts';

interface LatencyRamp {
  readonly latencyMs: number;
  readonly overMs: number;
  readonly steps: number;
}

const kind = 'latency-ramp';

const toxicAt = ({ latencyMs, steps }: LatencyRamp, step: number) =>
  ({ type: 'latency', attributes: { latency: Math.round((latencyMs * step) / steps), jitter: 0 } }) as const;

const firstStep = byToxic<LatencyRamp>(kind, (params) => toxicAt(params, 1));
const climbs = new Lasting();

export const latencyRamp = defineFault<LatencyRamp>({
  kind,
  ...ofStoreLinks,
  params: z
    .strictObject({
      latencyMs: z.int().min(2).max(10_000),
      overMs: z.int().min(100).max(600_000),
      steps: z.int().min(2).max(100),
    })
    .refine(
      ({ latencyMs, steps }) => latencyMs >= steps,
      'latencyMs is less than steps: a step has to be 1 ms at least',
    ),
  examples: [{ latencyMs: 100, overMs: 4000, steps: 20 }],
  effect: () => 'degraded',
  async inject(environment, target, params) {
    await firstStep.inject(environment, target, params);
    const raise = (step: number) => changeToxics(kind, environment, target, toxicAt(params, step));
    await climbs.begin(target.instance ?? environment, climb(raise, params));
  },
  async heal(environment, target, params) {
    try {
      await climbs.end(target.instance ?? environment);
    } finally {
      await firstStep.heal(environment, target, params);
    }
  },
  bites: ({ outcome, ms }, { latencyMs, steps }) => outcome === 'silent' || ms >= 2 * (latencyMs / steps) * 0.9,
  describe: ({ latencyMs, overMs }) =>
    `The latency of Redis grew to ${latencyMs} ms in each direction within ${overMs / 1000} s`,
});

/** All steps but the first. Disposing of it waits for the one that is being taken, and throws what has kept it from one. */
function climb(raise: (step: number) => Promise<void>, { overMs, steps }: LatencyRamp): AsyncDisposable {
  let step = 1;
  let raised = Promise.resolve();
  const timer = every(overMs / steps, () => {
    if (step >= steps) return;
    step++;
    raised = raised.then(() => raise(step));
    raised.catch(() => {}); // thrown when it is disposed of
  });
  return {
    [Symbol.asyncDispose]() {
      timer[Symbol.dispose]();
      return raised;
    },
  };
}

// Data is delayed by `latencyMs` ± `jitterMs`, in one direction or in each.
//
//   0 ── none ── half the deadline of a call ── degraded ── the promised p99 ── cut-off ──▶ round trip in ms

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { byToxic, type Direction, direction, ofStoreLinks, passesOf, wayOf } from './toxics.ts';

interface Latency {
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly direction: Direction;
}

const params: z.ZodType<Latency> = z
  .strictObject({ latencyMs: z.number().positive(), jitterMs: z.number().nonnegative().default(0), direction })
  .refine(({ latencyMs, jitterMs }) => jitterMs <= latencyMs, 'jitterMs is more than latencyMs');

/** Half of a call's deadline is left for Redis itself and for the machine. */
const deadlineShare = 0.5;

const kind = 'latency';

export const latency = defineFault<Latency>({
  kind,
  ...ofStoreLinks,
  params,
  examples: [
    { latencyMs: 1 },
    { latencyMs: 4 },
    { latencyMs: 100, jitterMs: 20 },
    { latencyMs: 20, direction: 'upstream' },
  ],
  effect({ latencyMs, jitterMs, direction }, { redisTimeoutMs, p99Ms }) {
    const passes = passesOf(direction);
    if (passes * (latencyMs - jitterMs) >= p99Ms) return 'cut-off';
    return passes * (latencyMs + jitterMs) <= deadlineShare * redisTimeoutMs ? 'none' : 'degraded';
  },
  ...byToxic<Latency>(
    kind,
    ({ latencyMs, jitterMs }) => ({ type: 'latency', attributes: { latency: latencyMs, jitter: jitterMs } }),
    ({ direction }) => direction,
  ),
  bites: ({ outcome, ms }, { latencyMs, jitterMs, direction }) =>
    outcome === 'silent' || ms >= passesOf(direction) * (latencyMs - jitterMs) * 0.9,
  describe: ({ latencyMs, jitterMs, direction }) =>
    direction === 'both'
      ? `Redis was ${latencyMs} ± ${jitterMs} ms away in each direction`
      : `Every packet ${wayOf(direction)} was late by ${latencyMs} ± ${jitterMs} ms`,
});

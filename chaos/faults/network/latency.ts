// Data is delayed by `latencyMs` ± `jitterMs`, in each direction.
//
//   0 ── none ── half the deadline of a call ── degraded ── the promised p99 ── cut-off ──▶ round trip in ms

import { z } from 'zod';
import { defineFault } from '../fault.ts';
import { onBothStreams } from './toxics.ts';

interface Latency {
  readonly latencyMs: number;
  readonly jitterMs: number;
}

const params: z.ZodType<Latency> = z
  .strictObject({ latencyMs: z.number().positive(), jitterMs: z.number().nonnegative().default(0) })
  .refine(({ latencyMs, jitterMs }) => jitterMs <= latencyMs, 'jitterMs is more than latencyMs');

/** Half of a call's deadline is left for Redis itself and for the machine. */
const deadlineShare = 0.5;

export const latency = defineFault<Latency>({
  kind: 'latency',
  family: 'network',
  params,
  needs: ['toxics'],
  reaches: ['store-links', 'one-store-link'],
  effect({ latencyMs, jitterMs }, { redisTimeoutMs, p99Ms }) {
    if (2 * (latencyMs - jitterMs) >= p99Ms) return 'cut-off';
    return 2 * (latencyMs + jitterMs) <= deadlineShare * redisTimeoutMs ? 'none' : 'degraded';
  },
  state: 'kept',
  endsBy: 'heal',
  ...onBothStreams<Latency>(({ latencyMs, jitterMs }) => ({
    type: 'latency',
    attributes: { latency: latencyMs, jitter: jitterMs },
  })),
  bites: ({ outcome, ms }, { latencyMs, jitterMs }) => outcome === 'silent' || ms >= 2 * (latencyMs - jitterMs) * 0.9,
  describe: ({ latencyMs, jitterMs }) => `Redis was ${latencyMs} ± ${jitterMs} ms away in each direction`,
});

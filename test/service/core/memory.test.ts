// How much memory a flood of keys costs while there is no Redis, seen from outside, on a process of its own.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startChild } from '../../support/process.ts';

const MiB = 2 ** 20;

interface Flooded {
  readonly grownBytes: number;
  readonly buckets: number;
  readonly breaker: string;
}

/** What a limiter without Redis became after a million keys, each asked for once. */
async function flooded(env: Readonly<Record<string, string>>): Promise<Flooded> {
  const main = join(import.meta.dirname, '..', '..', 'support', 'memory-flood.ts');
  await using child = startChild(process.execPath, ['--expose-gc', main, '1000000'], { env });
  expect([await child.ended, child.stderr()]).toEqual([{ code: 0, signal: null }, '']);
  return JSON.parse(child.stdout()) as Flooded;
}

describe.concurrent('what a limiter without Redis holds in memory', () => {
  it('grows by less than 64 MiB when a million keys come', async () => {
    const { grownBytes, buckets, breaker } = await flooded({ RATE_LIMIT_WINDOW_SEC: '86400' }); // nothing refills meanwhile
    expect([buckets, breaker]).toEqual([100_000, 'open']);
    expect(grownBytes / MiB).toBeLessThan(64);
  });

  it('would grow by more than that if there were a bucket for each of them', async () => {
    const { grownBytes, buckets } = await flooded({ RATE_LIMIT_WINDOW_SEC: '86400', FALLBACK_MAX_KEYS: '10000000' });
    expect(buckets).toBeGreaterThan(1_000_000);
    expect(grownBytes / MiB).toBeGreaterThan(64);
  });
});

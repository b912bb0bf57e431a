// Every bad limiter, what exposes it, and by which check. The documents and the test take it from here; the first line of
// its file says what its defect is.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reportables } from '../../../chaos/history.ts';
import type { Scenario } from '../../../chaos/scenario.ts';
import { commandTarget } from '../../../chaos/targets/command.ts';
import type { Target } from '../../../chaos/targets/target.ts';
import { baseline } from '../../../scenarios/baseline.ts';
import { clockFast } from '../../../scenarios/clock-fast.ts';
import { latency } from '../../../scenarios/latency.ts';
import { partition } from '../../../scenarios/partition.ts';
import { redisKill } from '../../../scenarios/redis-kill.ts';
import { stall } from '../../../scenarios/stall.ts';

const directory = import.meta.dirname;

/** A second of baseline, and three and a half to recover in. */
const once = { atMs: 2000, forMs: 2500 };
const timing = { warmupMs: 1000, durationMs: 8000 };
/** Ten times what the service promises: a defect is to show, and the noise of a busy machine is not. */
export const bounds = { p99Ms: 100, memoryGrowthMiB: 32 };
const slow = { REDIS_TIMEOUT_MS: '50', BREAKER_RESET_MS: '500' };

function shortened({ service, ...scenario }: Scenario, faults = scenario.faults ?? []): Scenario {
  const its = faults.map((fault) => ({ ...fault, ...(fault.every ? {} : once) }));
  return { ...scenario, service: { ...service, ...slow }, timing, faults: its };
}

/** In short: the lab's own scenarios, and two more. */
export const exposing = {
  baseline: { ...shortened(baseline), timing: { ...timing, durationMs: 5000 } },
  partition: shortened(partition),
  stall: shortened(stall),
  latency: shortened(latency),
  'latency-1': shortened({ ...latency, name: 'latency-1' }, [{ use: { kind: 'latency', latencyMs: 1 }, ...once }]),
  flapping: {
    ...shortened({ ...partition, name: 'flapping' }, [
      { use: { kind: 'down' }, on: 'one-store-link', atMs: 2000, forMs: 1500, every: { ms: 2500, times: 2 } },
    ]),
    timing: { ...timing, durationMs: 9500 },
  },
  'redis-kill': shortened(redisKill),
  'clock-fast': shortened(clockFast),
  'new-keys': { ...shortened({ ...partition, name: 'new-keys' }), load: [{ ...once, keys: 'new' }] },
} as const satisfies Record<string, Scenario>;

export interface BadLimiter {
  /** Of its file. */
  readonly name: string;
  readonly scenario: keyof typeof exposing;
  /** The check that must fail, and the others that the same defect may fail. */
  readonly check: string;
  readonly also?: readonly string[];
  /** The check needs a limiter that tells who decided, and how its breaker moves. */
  readonly tells?: true;
}

/** More is admitted than one bucket holds: where the buckets are told apart, several checks see it. */
const excess = { check: 'admission', also: ['fleet', 'remaining', 'retry-after'], tells: true } as const;
/** A client that waited as long as it was told is refused again. */
const refusal = { check: 'needless-refusal', also: ['retry-after'], tells: true } as const;
/** Redis takes a token that nobody was given. */
const ghost = { ...refusal, also: ['retry-after', 'ghost-takes'] } as const;

export const badLimiters: readonly BadLimiter[] = [
  { name: 'get-then-set', scenario: 'baseline', ...excess },
  { name: 'client-clock', scenario: 'baseline', check: 'admission' },
  { name: 'denial-kept', scenario: 'baseline', ...refusal, also: ['remaining', 'retry-after'] },
  { name: 'other-remaining', scenario: 'baseline', check: 'remaining', also: ['ghost-takes'], tells: true },
  { name: 'long-wait', scenario: 'baseline', check: 'retry-after', tells: true },
  { name: 'short-wait', scenario: 'baseline', check: 'retry-after', tells: true },
  { name: 'closed-503', scenario: 'partition', check: 'availability' },
  { name: 'closed-429', scenario: 'partition', ...refusal },
  { name: 'closed-429', scenario: 'new-keys', check: 'needless-refusal' },
  { name: 'unlimited', scenario: 'partition', check: 'admission' },
  { name: 'one-bucket', scenario: 'partition', ...refusal },
  { name: 'full-at-opening', scenario: 'partition', check: 'admission' },
  { name: 'whole-refill', scenario: 'partition', ...excess },
  { name: 'late-breaker', scenario: 'partition', check: 'trip', also: ['breaker'], tells: true },
  { name: 'never-closes', scenario: 'partition', check: 'recovery', also: ['fails-open', 'breaker'], tells: true },
  { name: 'never-closes', scenario: 'redis-kill', check: 'recovery' },
  { name: 'no-timeout', scenario: 'latency', check: 'latency' },
  { name: 'calls-while-open', scenario: 'stall', ...ghost },
  { name: 'retries', scenario: 'latency-1', ...ghost },
  { name: 'flush-on-reconnect', scenario: 'flapping', ...excess },
  { name: 'script-forgotten', scenario: 'redis-kill', check: 'recovery', also: ['fails-open', 'breaker'], tells: true },
  { name: 'own-clock', scenario: 'clock-fast', ...excess },
  { name: 'leaks', scenario: 'new-keys', check: 'memory' },
  { name: 'crashes', scenario: 'redis-kill', check: 'availability', also: ['latency'] },
];

/** The limiter in the file of this name, as a command of anybody's. */
export function limiterAs(name: string, tells = false): Target {
  const target = commandTarget(`node '${join(directory, `${name}.ts`)}'`, tells ? ['TELLS=1'] : [], directory);
  return { ...target, name, bounds, ...(tells ? { breaker: { path: '/readyz' }, gives: reportables } : {}) };
}

export function defectOf({ name }: BadLimiter): string {
  const [, defect] = /^\/\/ (.*)\n\n/.exec(readFileSync(join(directory, `${name}.ts`), 'utf8')) ?? [];
  if (defect === undefined) throw new Error(`${name}.ts does not begin with a line that says what its defect is`);
  return defect;
}

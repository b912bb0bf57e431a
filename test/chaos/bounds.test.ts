import { describe, expect, it } from 'vitest';
import { boundsFor, boundsOf, serviceDefaults, serviceEnvironment } from '../../chaos/bounds.ts';
import { UsageError } from '../../chaos/errors.ts';
import { readConfig } from '../../service/config/env.ts';
import { configRows } from '../../service/config/rows.ts';
import { resetJitterRatio } from '../../service/core/breaker.ts';
import type { Limit, LimitBucket } from '../../service/core/limit.ts';
import type { Policy } from '../../service/doors/policy.ts';

describe("the judge's bounds", () => {
  it('start from the same defaults as the service', () => {
    const rows = Object.fromEntries(configRows.map((row) => [row.name, row.default]));
    const defaults = Object.fromEntries(Object.keys(serviceDefaults).map((name) => [name, rows[name as never]]));
    expect(serviceDefaults).toEqual(defaults);
  });

  it.each([
    { INSTANCES: '1' },
    { RATE_LIMIT: '10', RATE_LIMIT_WINDOW_SEC: '5', RATE_LIMIT_BURST: '7', INSTANCES: '2' },
    { INSTANCES: '3', FALLBACK_MAX_KEYS: '50', REDIS_TIMEOUT_MS: '50', BREAKER_FAILURES: '9', BREAKER_RESET_MS: '250' },
  ])('mean by %j what the service means', (settings) => {
    const { policies, fallbackKeysMax, instances, redisTimeoutMs, breakerFailures, breakerResetMs } =
      readConfig(settings);
    const { shared, fallback } = (policies[0] as Policy).limits[0] as Limit;
    const refillPerSecondOf = ({ quota }: LimitBucket) => (1000 * quota.capacity) / quota.windowMs;
    expect(boundsOf(settings)).toEqual({
      capacity: shared.capacity,
      refillPerSecond: refillPerSecondOf(shared),
      fallbackCapacity: fallback.capacity,
      fallbackRefillPerSecond: refillPerSecondOf(fallback) / (instances ?? Number.NaN),
      fallbackKeysMax,
      redisTimeoutMs,
      breakerFailures,
      breakerResetMs,
      resetJitterRatio,
      reconnectMs: 1000,
      p99Ms: 9,
    });
  });

  it.each(['0', '-1', 'ten', '', '1.5', '0x10', '1e2', ' 7'])('are refused when a setting is "%s"', (value) => {
    expect(() => boundsOf({ RATE_LIMIT: value })).toThrow(UsageError);
    expect(() => boundsOf({ RATE_LIMIT: value })).toThrow(`RATE_LIMIT is "${value}"`);
  });
});

it('what a target says of its bounds is over the settings of the run', () => {
  const bounds = { capacity: 7, fallbackCapacity: 0 };
  expect(boundsFor({ bounds }, { INSTANCES: '2' })).toEqual({
    ...boundsOf({ INSTANCES: '2' }),
    ...bounds,
  });
  expect(boundsFor({ bounds: { capacity: 5 } }, { INSTANCES: '2' })).toEqual({
    ...boundsOf({ INSTANCES: '2' }),
    leastCapacity: 5,
  });
});

describe("the instances' environment", () => {
  it("is the scenario's, and over it the caller's settings of the service, and nothing else of the caller's", () => {
    const scenario = { RATE_LIMIT: '10', RATE_LIMIT_BURST: '5' };
    const caller = { RATE_LIMIT: '20', REDIS_TIMEOUT_MS: '2000', PATH: '/bin', REDIS_ADDR: 'elsewhere:1' };
    expect(serviceEnvironment(scenario, caller)).toEqual({
      RATE_LIMIT: '20',
      RATE_LIMIT_BURST: '5',
      REDIS_TIMEOUT_MS: '2000',
    });
  });
});

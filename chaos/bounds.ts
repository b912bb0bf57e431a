// What the judge holds the limiter to: its settings, as the service's README states them, and the promise.
//
// The lab does not import the service, so the defaults stand here again; a test compares the two.

import { UsageError } from './errors.ts';
import type { Bounds } from './scenario.ts';

/** The service's settings that an experiment may change, and their defaults. */
export const serviceDefaults = {
  RATE_LIMIT: '5',
  RATE_LIMIT_WINDOW_SEC: '10',
  RATE_LIMIT_BURST: '5',
  INSTANCES: '',
  REDIS_TIMEOUT_MS: '5',
  BREAKER_FAILURES: '3',
  BREAKER_RESET_MS: '1000',
  FALLBACK_MAX_KEYS: '100000',
  LOG_LEVEL: 'info',
} as const;

/** The settings of an experiment's instances: the scenario's, and over them what the caller's environment says. */
export function serviceEnvironment(
  scenario: Readonly<Record<string, string>>,
  caller: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const settings: Record<string, string> = { ...scenario };
  for (const name of Object.keys(serviceDefaults)) {
    const value = caller[name];
    if (value !== undefined) settings[name] = value;
  }
  return settings;
}

/**
 * What the judge holds a target to: the settings of the run, as far as the target does not say otherwise. A limiter that
 * admits B in each fixed window of W touches Δ/W + 2 windows within Δ at most. So it admits 2·B + B/W · Δ, which is a
 * bucket of twice the capacity, and gives a key B before it refuses it. A target that says another capacity than it is told
 * says no more than that this is the most.
 */
export function boundsFor(
  { fixedWindow = false, bounds }: { readonly fixedWindow?: boolean; readonly bounds?: Partial<Bounds> },
  settings: Readonly<Record<string, string>>,
): Bounds {
  const told = boundsOf(settings);
  const { capacity, fallbackCapacity } = told;
  const twice = fixedWindow ? { capacity: 2 * capacity, fallbackCapacity: 2 * fallbackCapacity } : {};
  const isAsTold = (bounds?.capacity ?? capacity) === capacity;
  return { ...told, ...twice, ...bounds, ...(isAsTold ? { leastCapacity: capacity } : {}) };
}

/** How far two clocks drift apart by themselves: NTP slews by 500 ppm at most. */
export const usualDriftRatio = 500e-6;

/** How far the client's clock and a bucket's clock may drift apart. */
export function driftRatioOf({ clockDriftRatio = 0 }: Pick<Bounds, 'clockDriftRatio'>): number {
  return usualDriftRatio + clockDriftRatio;
}

/** INSTANCES must be set: the judge has to know what the instances would otherwise count for themselves. */
export function boundsOf(settings: Readonly<Record<string, string>>): Bounds {
  const number = (name: keyof typeof serviceDefaults): number => {
    const text = settings[name] ?? serviceDefaults[name];
    if (/^\d+$/.test(text) && Number(text) > 0) return Number(text);
    throw new UsageError(`${name} is "${text}"; allowed: a whole number over 0`); // by the caller's environment
  };
  const refillPerSecond = number('RATE_LIMIT') / number('RATE_LIMIT_WINDOW_SEC');
  return {
    capacity: number('RATE_LIMIT'),
    refillPerSecond,
    fallbackCapacity: number('RATE_LIMIT_BURST'),
    fallbackRefillPerSecond: refillPerSecond / number('INSTANCES'),
    fallbackKeysMax: number('FALLBACK_MAX_KEYS'),
    redisTimeoutMs: number('REDIS_TIMEOUT_MS'),
    breakerFailures: number('BREAKER_FAILURES'),
    breakerResetMs: number('BREAKER_RESET_MS'),
    resetJitterRatio: 0.2,
    reconnectMs: 1000,
    p99Ms: 9,
  };
}

// A limit as a policies file writes it: `100 per minute`.

import type { Rate } from '../core/token-bucket.ts';

/** More tokens than any budget has; fewer than would make an instant inexact. */
export const capacityMax = 1_000_000_000;

const secondsOf: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3600, day: 86_400 };

export const limitAllowed = `COUNT per second, minute, hour or day, COUNT a whole number from 1 to ${capacityMax}, as in 100 per minute`;

/** The rate that the text is; undefined when it is none. */
export function rateOf(text: string): Rate | undefined {
  const [, count, unit = ''] = /^([1-9]\d{0,9}) (?:per|a) (second|minute|hour|day)$/.exec(text) ?? [];
  const capacity = Number(count);
  return capacity <= capacityMax ? { capacity, refillPerSecond: capacity / (secondsOf[unit] as number) } : undefined;
}

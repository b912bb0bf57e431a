// What a page may ask for, read from the body of a POST. Each mistake is told with its value and what is allowed.

import { z } from 'zod';
import { UsageError } from '../errors.ts';
import { mistakeOf, oneOf, shown, whole } from '../shape.ts';
import type { FaultKind, Limits } from './messages.ts';

export const limits: Limits = { rateMax: 20_000, manualRateMax: 2000, seedMax: 0x7fffffff, faultSecondsMax: 60 };

export interface RunRequest {
  readonly scenario: string;
  readonly driver: string;
  readonly seed: number;
  readonly rate: number;
}

export interface SwitchRequest {
  readonly link: string;
  readonly fault: FaultKind | null;
  /** After which it heals itself. */
  readonly seconds: number;
}

const load = (drivers: readonly string[], rateMax: number) => ({
  driver: oneOf(...drivers),
  seed: whole(0, limits.seedMax),
  rate: whole(1, rateMax),
});

export function runRequest(body: unknown, scenarios: readonly string[], drivers: readonly string[]): RunRequest {
  return parsed(z.object({ scenario: oneOf(...scenarios), ...load(drivers, limits.rateMax) }), body);
}

export function manualRequest(body: unknown, drivers: readonly string[]): RunRequest {
  return { scenario: 'manual', ...parsed(z.object(load(drivers, limits.manualRateMax)), body) };
}

/** `rows` are the links of the switchboard, each with the faults that it can have. */
export function switchRequest(
  body: unknown,
  rows: readonly { readonly link: string; readonly faults: readonly FaultKind[] }[],
): SwitchRequest {
  const { link } = parsed(z.object({ link: oneOf(...rows.map((row) => row.link)) }), body);
  const faults = rows.find((row) => row.link === link)?.faults ?? [];
  const { fault } = parsed(z.object({ fault: oneOf(...faults, null) }), body);
  if (fault === null) return { link, fault, seconds: 0 };
  const { seconds } = parsed(z.object({ seconds: whole(1, limits.faultSecondsMax) }), body);
  return { link, fault, seconds };
}

function parsed<T>(schema: z.ZodType<T>, body: unknown): T {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new UsageError(`The body is ${shown(body)}; allowed: an object in JSON.`);
  }
  const { data, error } = schema.safeParse(body);
  if (error) throw new UsageError(`${mistakeOf(error, body)}.`);
  return data as T;
}

// What a page may ask for, read from the body of a POST. Each mistake is told with its value and what is allowed.

import { UsageError } from '../errors.ts';
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

type Body = Readonly<Record<string, unknown>>;

export function runRequest(body: unknown, scenarios: readonly string[], drivers: readonly string[]): RunRequest {
  const fields = record(body);
  return {
    scenario: oneOf(fields, 'scenario', scenarios),
    driver: oneOf(fields, 'driver', drivers),
    seed: whole(fields, 'seed', 0, limits.seedMax),
    rate: whole(fields, 'rate', 1, limits.rateMax),
  };
}

export function manualRequest(body: unknown, drivers: readonly string[]): RunRequest {
  const fields = record(body);
  return {
    scenario: 'manual',
    driver: oneOf(fields, 'driver', drivers),
    seed: whole(fields, 'seed', 0, limits.seedMax),
    rate: whole(fields, 'rate', 1, limits.manualRateMax),
  };
}

/** `rows` are the links of the switchboard, each with the faults that it can have. */
export function switchRequest(
  body: unknown,
  rows: readonly { readonly link: string; readonly faults: readonly FaultKind[] }[],
): SwitchRequest {
  const fields = record(body);
  const link = oneOf(
    fields,
    'link',
    rows.map((row) => row.link),
  );
  if (fields.fault === null) return { link, fault: null, seconds: 0 };
  const faults = rows.find((row) => row.link === link)?.faults ?? [];
  return { link, fault: oneOf(fields, 'fault', faults), seconds: whole(fields, 'seconds', 1, limits.faultSecondsMax) };
}

function record(body: unknown): Body {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  throw new UsageError(`The body is ${shown(body)}; allowed: an object in JSON.`);
}

function oneOf<T extends string>(body: Body, name: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === body[name]);
  if (found !== undefined) return found;
  throw new UsageError(`${name} is ${shown(body[name])}; allowed: ${allowed.join(', ')}.`);
}

function whole(body: Body, name: string, min: number, max: number): number {
  const value = body[name];
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UsageError(`${name} is ${shown(value)}; allowed: a whole number from ${min} to ${max}.`);
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 100);
}

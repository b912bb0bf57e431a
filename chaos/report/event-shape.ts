// Tells the lines of events.ndjson from what only looks like them. Every field that anything computes with is looked at.

import { type HistoryEvent, tellings } from '../history.ts';
import { effects, endings, phaseNames, reaches, stateEffects } from '../scenario.ts';

type Test = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Test>>;

const text: Test = (value) => typeof value === 'string';
const flag: Test = (value) => typeof value === 'boolean';
const number: Test = (value) => typeof value === 'number' && Number.isFinite(value);
const oneOf =
  (...allowed: readonly unknown[]): Test =>
  (value) =>
    allowed.includes(value);
const object =
  (shape: Shape): Test =>
  (value) =>
    isRecord(value) && Object.entries(shape).every(([name, test]) => test(value[name]));
const list =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test);
const optional =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value);

const bounds: Shape = {
  capacity: number,
  refillPerSecond: number,
  fallbackCapacity: number,
  fallbackRefillPerSecond: number,
  redisTimeoutMs: number,
  breakerFailures: number,
  breakerResetMs: number,
  resetJitterRatio: number,
  reconnectMs: number,
  p99Ms: number,
};

/** What a fault says of itself. */
const facts: Shape = {
  fault: text,
  effect: oneOf(...effects),
  state: oneOf(...stateEffects),
  endsBy: oneOf(...endings),
  reach: oneOf(...reaches),
  description: text,
};

const shapes: Readonly<Record<HistoryEvent['type'], Test>> = {
  run: object({
    version: number,
    scenario: text,
    hypothesis: text,
    gives: list(oneOf(...tellings)),
    schedule: list(object({ ...facts, atMs: number, forMs: number })),
    seed: number,
    driver: text,
    rate: number,
    startedAt: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
    bounds: object(bounds),
    instances: list(object({ name: text, control: flag, tellsBreaker: flag })),
    environment: (value) => isRecord(value) && Object.values(value).every(text),
  }),
  answer: object({
    instance: text,
    key: text,
    scheduledMs: number,
    sentMs: number,
    receivedMs: number,
    status: number,
    mechanism: oneOf('redis', 'fallback', null),
    error: optional(text),
  }),
  phase: object({ phase: oneOf(...phaseNames, 'end'), atMs: number }),
  fault: object({
    action: oneOf('inject', 'heal'),
    target: text,
    beginMs: number,
    endMs: number,
    ...facts,
  }),
  probe: object({ instance: text, atMs: number, expected: text, seen: text, detail: text }),
  'store-errors': object({
    instance: text,
    atMs: number,
    totals: (value) => isRecord(value) && Object.values(value).every(number),
  }),
  breaker: object({ instance: text, shard: optional(text), atMs: number, from: text, to: text }),
  placement: object({
    atMs: number,
    victim: text,
    keys: (value) => isRecord(value) && Object.values(value).every(list(text)),
  }),
  failover: object({ beginMs: number, endMs: number, from: text, to: text }),
};

export function isEvent(value: unknown): value is HistoryEvent {
  if (!isRecord(value)) return false;
  const type = value.type;
  return typeof type === 'string' && Object.hasOwn(shapes, type) && shapes[type as HistoryEvent['type']](value);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

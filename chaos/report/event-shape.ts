// What each line of events.ndjson must look like. A field that is missing, or of another kind than what the recorder
// writes, makes the line none: half an event could make a false verdict either way.

import { z } from 'zod';
import { answerSources, type HistoryEvent, type historyVersion, reportables } from '../history.ts';
import { outcomes } from '../outcome.ts';
import { effects, endings, phaseNames, reaches, stateEffects, storelessAnswers } from '../scenario.ts';
import { flag, mistakeOf, numberFrom, numberOver, oneOf, shown, text, whole } from '../shape.ts';

const dayMs = 86_400_000;
const instancesMax = 100;

/** Lanes have a bin for every quarter of a second, so no instant may lie years away. */
const instantMs = (error = 'ms of the run, within a day') =>
  z.number({ error }).min(-dayMs, { error }).max(dayMs, { error });
const counts = z.record(z.string(), numberFrom(0), { error: 'a count for each reason' });
const notBefore = (first: string, then: string) => ({ error: `an instant that is not before ${first}`, path: [then] });

/** What a fault says of itself. */
const use = z.looseObject({ kind: text() });

const facts = {
  fault: text(),
  effect: oneOf(...effects),
  state: oneOf(...stateEffects),
  endsBy: oneOf(...endings),
  reach: oneOf(...reaches),
  description: text(),
};

const bounds = z.object({
  capacity: numberOver(0),
  refillPerSecond: numberOver(0),
  leastCapacity: numberOver(0).exactOptional(),
  fallbackCapacity: numberFrom(0),
  fallbackRefillPerSecond: numberFrom(0),
  fallbackKeysMax: numberOver(0).exactOptional(),
  redisTimeoutMs: numberOver(0),
  breakerFailures: numberOver(0),
  breakerResetMs: numberOver(0),
  resetJitterRatio: numberFrom(0),
  reconnectMs: numberFrom(0),
  clockDriftRatio: numberOver(0).exactOptional(),
  memoryGrowthMiB: numberOver(0).exactOptional(),
  p99Ms: numberOver(0),
});

const run = z.object({
  type: z.literal('run'),
  version: whole(1, 1_000_000) as unknown as z.ZodLiteral<typeof historyVersion>, // another version is said to be one, and read all the same
  scenario: text(),
  hypothesis: text(),
  target: text().exactOptional(),
  gives: z.array(oneOf(...reportables), { error: 'a list of what the target tells' }),
  schedule: z.array(z.object({ use: use.exactOptional(), ...facts, atMs: instantMs(), forMs: instantMs() }), {
    error: 'a list of faults',
  }),
  seed: whole(0, 0xffffffff),
  driver: text(),
  rate: numberFrom(0),
  planned: z
    .object({
      durationMs: numberFrom(0),
      requests: z.record(z.string(), whole(0, Number.MAX_SAFE_INTEGER), { error: 'a count for each instance' }),
      placed: flag(),
    })
    .exactOptional(),
  keySuffix: text().exactOptional(),
  startedAt: z.iso.datetime({ error: 'an instant in ISO 8601, UTC' }),
  bounds,
  withoutStore: z
    .object({ answer: oneOf(...storelessAnswers), forMs: numberOver(0).exactOptional() }, { error: 'an answer' })
    .exactOptional(),
  instances: z
    .array(z.object({ name: text(), control: flag(), reportsBreaker: flag() }), { error: 'a list of instances' })
    .max(instancesMax, { error: `at most ${instancesMax} instances` }),
  environment: z.record(z.string(), text(), { error: 'text for each part' }),
});

const answer = z
  .object({
    type: z.literal('answer'),
    instance: text(),
    key: text(),
    scheduledMs: instantMs(),
    sentMs: instantMs(),
    receivedMs: instantMs(),
    status: whole(0, 999),
    outcome: oneOf(...outcomes).exactOptional(),
    source: oneOf(...answerSources, null),
    remaining: numberFrom(0, 'a number from 0, or null').nullable(),
    retryAfterS: numberFrom(0).exactOptional(),
    error: text().exactOptional(),
  })
  .refine(({ sentMs, receivedMs }) => receivedMs >= sentMs, notBefore('sentMs', 'receivedMs'));

const events = [
  run,
  answer,
  z.object({ type: z.literal('phase'), phase: oneOf(...phaseNames, 'end'), atMs: instantMs() }),
  z
    .object({
      type: z.literal('fault'),
      action: oneOf('inject', 'heal'),
      ...facts,
      target: text(),
      beginMs: instantMs(),
      endMs: instantMs(),
    })
    .refine(({ beginMs, endMs }) => endMs >= beginMs, notBefore('beginMs', 'endMs')),
  z.object({
    type: z.literal('probe'),
    instance: text(),
    atMs: instantMs(),
    expected: oneOf('healthy', 'broken'),
    seen: oneOf('healthy', 'broken', 'other'),
    detail: text(),
  }),
  z.object({
    type: z.literal('breaker'),
    instance: text(),
    shard: text().exactOptional(),
    atMs: instantMs(),
    from: text(),
    to: text(),
  }),
  z.object({
    type: z.literal('placement'),
    atMs: instantMs(),
    victim: text(),
    keys: z.record(z.string(), z.array(text(), { error: 'a list of texts' }), { error: 'keys for each master' }),
  }),
  z
    .object({ type: z.literal('failover'), beginMs: instantMs(), endMs: instantMs(), from: text(), to: text() })
    .refine(({ beginMs, endMs }) => endMs >= beginMs, notBefore('beginMs', 'endMs')),
  z.object({ type: z.literal('store-errors'), instance: text(), atMs: instantMs(), totals: counts }),
  z.object({ type: z.literal('memory'), instance: text(), atMs: instantMs(), residentBytes: numberFrom(0) }),
  z.object({
    type: z.literal('store-use'),
    instance: text(),
    atMs: instantMs(),
    commands: whole(0, Number.MAX_SAFE_INTEGER),
  }),
] as const;

const event: z.ZodType<HistoryEvent> = z.discriminatedUnion('type', events, { error: 'a type of event' });

/** The event of a line, as `upgraded` makes it; or why it is none, as one sentence without its full stop. */
export function eventOf(
  line: string,
  upgraded: (value: Readonly<Record<string, unknown>>) => unknown = (value) => value,
): HistoryEvent | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return `it is no JSON: ${shown(line.slice(0, 40))}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return `it is ${shown(value)}; allowed: an object in JSON`;
  const present = upgraded(value as Readonly<Record<string, unknown>>);
  const { data, error } = event.safeParse(present);
  return error ? mistakeOf(error, present) : data;
}

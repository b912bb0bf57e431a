// What the service's scripts do to a simulated Redis: token-bucket.lua by its executable specification, and the small ones
// that count instances and prove a connection.

import type { Call, Program, Scripts } from '../../chaos/simulation/redis.ts';
import { costUsOf, debtUsAt, holds, instantUsOf } from '../../service/core/token-bucket.ts';
import { wordScript } from '../../service/redis/heartbeat.ts';
import { beatScript, farewellScript } from '../../service/redis/instances.ts';
import { scriptIn } from '../../service/redis/script.ts';

/** What it costs and what an empty one owes, in microseconds: of each bucket of a take. */
type Shape = readonly (readonly [costUs: number, capacityUs: number])[];

const tokenBucket: Program = {
  writes: true,
  run(call) {
    const { keys, argv, nowUs } = call;
    const deadlineUs = Number(argv[0]);
    if (deadlineUs > 0 && nowUs > deadlineUs) return [nowUs];
    const [shapes, numbers] = shapesIn(argv);
    const reply: unknown[] = [nowUs];
    let take = 0;
    for (let first = 0; first < keys.length; take++) {
      const shape = (shapes.length === 1 ? shapes[0] : shapes[(numbers[take] as number) - 1]) as Shape;
      reply.push(...takeOne(call, keys.slice(first, first + shape.length), shape));
      first += shape.length;
    }
    return reply;
  },
};

/** The shapes, which follow the deadline, and what follows them. */
function shapesIn(argv: readonly string[]): [shapes: Shape[], rest: readonly number[]] {
  const shapes: Shape[] = [];
  let at = 1;
  for (let count = Number(argv[at++]); count > 0; count--) {
    const shape: Shape[number][] = [];
    for (let size = Number(argv[at++]); size > 0; size--) shape.push([Number(argv[at++]), Number(argv[at++])]);
    shapes.push(shape);
  }
  return [shapes, argv.slice(at).map(Number)];
}

/** A bucket before a take. */
interface Standing {
  readonly key: string;
  readonly costUs: number;
  readonly debtUs: number;
  /** Of another clock: it counts as empty. */
  readonly isAhead: boolean;
}

/** Takes what is asked for of all the buckets, or nothing of any; the results of the script. */
function takeOne({ data, nowUs, taken }: Call, keys: readonly string[], shape: Shape): (number | 'WRONGTYPE')[] {
  const buckets: Standing[] = [];
  let allowed = true;
  for (const [i, key] of keys.entries()) {
    const [costUs, capacityUs] = shape[i] as Shape[number];
    const fullAtUs = instantOf(data.get(key), nowUs);
    if (fullAtUs === undefined) return keys.map(() => 'WRONGTYPE');
    const bucket = { capacity: capacityUs, tokenUs: 1, capacityUs }; // as if a token were one microsecond
    const debtUs = debtUsAt(bucket, fullAtUs, nowUs);
    allowed &&= holds(bucket, debtUs, costUs);
    buckets.push({ key, costUs: costUsOf(bucket, costUs), debtUs, isAhead: fullAtUs - nowUs > capacityUs });
  }
  return buckets.map(({ key, costUs, debtUs: before, isAhead }) => {
    const debtUs = allowed ? before + costUs : before;
    if (allowed || isAhead) data.set(key, nowUs + debtUs);
    if (allowed && costUs > 0) taken(keyOfName(key));
    return allowed ? debtUs : -1 - debtUs;
  });
}

/** When the bucket is full again: 0 for none; undefined for what is no bucket. */
function instantOf(value: unknown, nowUs: number): number | undefined {
  if (value === undefined) return 0;
  return typeof value === 'number' ? value : instantUsOf(String(value), nowUs);
}

/** The limit of the simulation has no prefix, and the service names its buckets so. */
function keyOfName(name: string): string {
  return name.slice('rl:'.length);
}

/** When each instance last spoke, in milliseconds on Redis's clock; who spoke last comes last. */
class Spoken {
  readonly atMs = new Map<string, number>();
  newestMs = 0;
}

const beat: Program = {
  writes: true,
  run({ data, keys: [key = ''], argv: [id = '', silentMsMax], nowUs }) {
    const nowMs = Math.floor(nowUs / 1000);
    const spoken = (data.get(key) as Spoken | undefined) ?? new Spoken();
    const { atMs } = spoken;
    if (spoken.newestMs > nowMs) for (const [other, thenMs] of atMs) atMs.set(other, Math.min(thenMs, nowMs));
    spoken.newestMs = nowMs;
    atMs.delete(id);
    atMs.set(id, nowMs);
    for (const [other, thenMs] of atMs) {
      if (thenMs > nowMs - Number(silentMsMax)) break;
      atMs.delete(other);
    }
    data.set(key, spoken);
    return atMs.size;
  },
};

const farewell: Program = {
  writes: true,
  run: ({ data, keys: [key = ''], argv: [id = ''] }) =>
    (data.get(key) as Spoken | undefined)?.atMs.delete(id) ? 1 : 0,
};

const word: Program = { writes: false, run: ({ argv: [said] }) => said };

const programs = new Map([
  [scriptIn('./token-bucket.lua').text, tokenBucket],
  [beatScript, beat],
  [farewellScript, farewell],
  [wordScript, word],
]);

export const scripts: Scripts = {
  programOf: (text) => programs.get(text),
  isOver: (value, nowUs) => typeof value === 'number' && value <= nowUs,
};

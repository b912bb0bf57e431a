// The simulated Redis is held to the real one: random sequences of calls, each answered in the same way by both.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Chance } from '../../../chaos/simulation/chance.ts';
import type { Program } from '../../../chaos/simulation/redis.ts';
import { RedisData } from '../../../chaos/simulation/redis-data.ts';
import { scripts } from '../../../scenarios/simulated/scripts.ts';
import { scriptIn } from '../../../service/redis/script.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';

const sequences = 1000;
const callsMax = 12;

let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const { text, sha } = scriptIn('./token-bucket.lua');

/** Arguments of one call, as the service writes them: takes of one bucket or two, alike or not. */
function drawCall(chance: Chance, sequence: number, redisUs: number): { keys: string[]; argv: string[] } {
  const shapes = Array.from({ length: chance.whole(1, 3) }, () =>
    Array.from({ length: chance.whole(1, 2) }, () => {
      const tokenUs = chance.oneOf([1000, 50_000, 1_000_000]);
      return [chance.whole(0, 3) * tokenUs, chance.whole(1, 4) * tokenUs] as const;
    }),
  );
  const takes = Array.from({ length: chance.whole(1, 5) }, () => chance.whole(0, shapes.length - 1));
  const keyOf = () => `rl:s${sequence}-${chance.whole(0, 3)}`;
  const keys = takes.flatMap((shape) => (shapes[shape] ?? []).map(keyOf));
  const deadlineUs = chance.oneOf([0, redisUs + 60_000_000, redisUs + 60_000_000, redisUs - 1_000_000]);
  const ofShapes = shapes.flatMap((shape) => [shape.length, ...shape.flat()]);
  const numbers = shapes.length > 1 ? takes.map((shape) => shape + 1) : [];
  return { keys, argv: [deadlineUs, shapes.length, ...ofShapes, ...numbers].map(String) };
}

it(`answers ${sequences} random sequences of calls as a real Redis does`, async () => {
  const chance = new Chance(1);
  const { admin } = redis;
  await admin.script('LOAD', text);
  const [seconds = '0'] = (await admin.time()).map(String);
  const redisUs = Number(seconds) * 1_000_000;
  const program = scripts.programOf(text) as Program;
  expect(createHash('sha1').update(text).digest('hex')).toBe(sha);
  const seen = { allowed: 0, denied: 0, late: 0, foreign: 0 };
  for (let sequence = 0; sequence < sequences; sequence++) {
    const calls = Array.from({ length: chance.whole(1, callsMax) }, () => drawCall(chance, sequence, redisUs));
    const foreign = chance.unit() < 0.1 ? `rl:s${sequence}-0` : undefined;
    const pipeline = admin.pipeline();
    if (foreign !== undefined) pipeline.set(foreign, 'no bucket');
    for (const { keys, argv } of calls) pipeline.evalsha(sha, keys.length, ...keys, ...argv);
    const replies = ((await pipeline.exec()) ?? []).map(([error, reply]) => error ?? reply);
    if (foreign !== undefined) replies.shift();

    const data = new RedisData(() => 0);
    if (foreign !== undefined) data.set(foreign, 'no bucket');
    for (const [i, { keys, argv }] of calls.entries()) {
      const real = replies[i] as (number | string)[];
      // Real time passes between the calls, so the model is told what the real Redis's clock said.
      const modelled = program.run({ data, keys, argv, nowUs: Number(real[0]), taken: () => {} }) as unknown[];
      expect(modelled, `sequence ${sequence}, call ${i}: ${keys} ${argv}`).toEqual(real);
      if (real.length === 1) seen.late++;
      for (const result of real.slice(1))
        seen[result === 'WRONGTYPE' ? 'foreign' : Number(result) >= 0 ? 'allowed' : 'denied']++;
    }
  }
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(100);
});

// `npm run bench -- --doors`: what each way into the service carries, beside the least that could answer, and beside
// `GET /` with one limit.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type autocannon from 'autocannon';
import { bareHttp, type Contender, failopen, keyHeader, type Running } from './contenders.ts';
import { loadApart } from './cores.ts';
import { type Bench, startField } from './field.ts';
import { leaveResults, type Plan } from './plan.ts';
import { costTitle, withCost } from './processor-time.ts';
import { interleaved } from './rounds.ts';
import { titled } from './table.ts';
import { keyInHeader, throughputOf } from './throughput.ts';

const keyCount = 10_000;
const batchSize = 100;
const enough = { RATE_LIMIT: '1000', RATE_LIMIT_WINDOW_SEC: '10', RATE_LIMIT_BURST: '1000' };
const hot = { RATE_LIMIT: '100', RATE_LIMIT_WINDOW_SEC: '10', RATE_LIMIT_BURST: '100', KEY_HEADER: keyHeader };

interface Way {
  readonly name: string;
  readonly contender: Contender;
  readonly keys: number;
  readonly requestsFor: (keys: readonly string[]) => autocannon.Request[];
  /** In one request. */
  readonly takes: number;
}

/** Prints takes per second, what each costs, and ratios in the same round; leaves the figures in a file. */
export async function measureDoors(plan: Plan, bench: Bench): Promise<void> {
  const { rounds, seconds, warmUpS } = plan;
  const ways = waysWith(join(bench.logs, 'two-limits.json'));
  const apart = loadApart();
  const placement = { cores: apart?.loaded, redisFirst: false };
  const contenders = [...new Set(ways.map(({ contender }) => contender))];
  await using field = await startField(contenders, enough, placement, bench);
  const takesOf = ({ contender, keys, requestsFor, takes }: Way, forS: number) =>
    withCost(field, contender.name, async () => {
      const { url } = field.running.find(({ name }) => name === contender.name) as Running;
      const load = { url, keys, requestsFor, seconds: forS };
      const { answered, requestsPerSecond } = await throughputOf(load, bench.signal);
      return { answered: takes * answered, takesPerSecond: takes * requestsPerSecond };
    });
  for (const way of ways) await takesOf(way, warmUpS);
  const figures = await interleaved(ways, rounds, (way) => takesOf(way, seconds));
  const [bare, root] = ways as readonly [Way, Way, ...Way[]];
  const title = `Takes per second, ${keyCount} keys`;
  for (const { name } of [bare, root])
    process.stdout.write(titled(title, name, figures, ({ takesPerSecond }) => takesPerSecond));
  process.stdout.write(titled(costTitle('take'), root.name, figures, ({ costUs }) => costUs));
  leaveResults(plan, 'doors-', { cores: apart, takes: Object.fromEntries(figures) });
}

/** In front the two with which the others are compared. `policiesFile`: is written, for the one with two limits. */
function waysWith(policiesFile: string): readonly Way[] {
  const twoLimits = [{ name: 'two', key: `header:${keyHeader}`, limits: ['100 per second', '1000000 per hour'] }];
  writeFileSync(policiesFile, JSON.stringify({ policies: twoLimits }));
  const service = (name: string, env?: Contender['env']): Contender => ({ ...failopen, name, ...(env && { env }) });
  const one = service('one limit');
  const get = { keys: keyCount, requestsFor: keyInHeader(keyHeader), takes: 1 };
  const post = (path: string, body: unknown): autocannon.Request => ({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return [
    { name: 'bare node:http', contender: bareHttp, ...get },
    { name: 'GET /', contender: one, ...get },
    { name: 'GET /, a denied key', contender: service('hot', hot), ...get, keys: 1 },
    { name: 'GET /, two limits', contender: service('two limits', { POLICIES_FILE: policiesFile }), ...get },
    {
      name: 'POST /v1/check',
      contender: one,
      ...get,
      requestsFor: (keys) => keys.map((key) => post('/v1/check', { key })),
    },
    {
      name: 'POST /v1/check/batch of 100',
      contender: one,
      keys: keyCount,
      requestsFor: (keys) => [post('/v1/check/batch', { checks: keys.map((key) => ({ key })) })],
      takes: batchSize,
    },
  ];
}

// Requests for many keys that are all allowed, and for one that is nearly always denied: what each contender can do under
// either, by HTTP.

import type { Contender } from './contenders.ts';
import { keyHeader } from './contenders.ts';
import { type Bench, startField } from './field.ts';
import type { Plan } from './plan.ts';
import { costTitle, withCost } from './processor-time.ts';
import { interleaved } from './rounds.ts';
import { medianOf, type Row, ratiosTo, titled } from './table.ts';
import { keyInHeader, type Throughput, throughputOf } from './throughput.ts';

export interface Workload {
  readonly name: string;
  readonly title: string;
  readonly keys: number;
  /** The policy. */
  readonly env: Readonly<Record<string, string>>;
}

export const manyKeys: Workload = {
  name: 'many-keys',
  title: '10,000 keys, all within their limit',
  keys: 10_000,
  env: { RATE_LIMIT: '1000', RATE_LIMIT_WINDOW_SEC: '10', RATE_LIMIT_BURST: '1000' },
};
export const hotKey: Workload = {
  name: 'hot-key',
  title: 'one key, nearly always denied',
  keys: 1,
  env: { RATE_LIMIT: '100', RATE_LIMIT_WINDOW_SEC: '10', RATE_LIMIT_BURST: '100' },
};

/** Prints what each can do under a workload, in requests per second and beside each of `references`; the rows are beside the first. */
export async function throughputs(
  all: readonly Contender[],
  { title, keys, env }: Workload,
  references: readonly [string, ...string[]],
  cores: string | undefined,
  { rounds, seconds, warmUpS }: Plan,
  bench: Bench,
): Promise<Row[]> {
  const { signal } = bench;
  await using field = await startField(all, env, { cores, redisFirst: false }, bench);
  const load = { keys, requestsFor: keyInHeader(keyHeader), seconds };
  for (const { url } of field.running) await throughputOf({ ...load, url, seconds: warmUpS }, signal);
  const figures = await interleaved(field.running, rounds, ({ name, url }) =>
    withCost(field, name, () => throughputOf({ ...load, url }, signal)),
  );
  const perSecond = ({ requestsPerSecond }: Throughput) => requestsPerSecond;
  for (const reference of references)
    process.stdout.write(titled(`${title}: requests per second`, reference, figures, perSecond));
  process.stdout.write(titled(costTitle('request'), references[0], figures, ({ costUs }) => costUs));
  process.stdout.write(`  answered 2xx: ${sharesIn(figures)}\n`);
  return ratiosTo(references[0], figures, perSecond);
}

function sharesIn(figures: ReadonlyMap<string, readonly Throughput[]>): string {
  const shares = [...figures].map(
    ([name, runs]) => `${name} ${(100 * medianOf(runs.map(({ allowed }) => allowed))).toFixed(1)} %`,
  );
  return shares.join(', ');
}

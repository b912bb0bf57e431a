// `npm run sim -- --plan FILE`: what outages cost somebody's own policies, limit by limit, as a table.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { typedIn } from '../chaos/command-line.ts';
import { UsageError } from '../chaos/errors.ts';
import { type Cost, costOf, requestsFor, requestsMax } from '../chaos/simulation/costs.ts';
import { boundsOf, type Plan } from '../chaos/simulation/plan.ts';
import type { SimOptions } from './sim-options.ts';
import { service } from './simulated/limiter.ts';
import { limitsIn } from './simulated/policies.ts';

const outagesS = [10, 60, 300];
/** The columns that are simulated: tokens of one key, and then what the fleet and Redis do when it is back. */
export const costHead = [
  'given',
  'bound',
  'by Redis',
  'in a deploy, INSTANCES set',
  'in a deploy, counted',
  'back after ms',
  'connects/s',
  'commands/s',
] as const;
const head = ['outage s', ...costHead];
/** Of a count of tokens. */
const countWidth = 'not measured'.length;
const widths = head.map((title) => (title === 'given' || title === 'bound' ? countWidth : title.length));

/**
 * Says one row for each limit of the file and length of an outage, each as soon as it is known. Throws a `UsageError` for a
 * file with mistakes, or without a policy of the name.
 */
export async function sayCosts(
  { plan, policy, instances }: Pick<SimOptions, 'policy' | 'instances'> & { readonly plan: string },
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const limits = limitsIn(textOf(plan), plan);
  const chosen = limits.filter((limit) => policy === undefined || limit.policy === policy);
  if (chosen.length === 0) {
    const names = [...new Set(limits.map((limit) => limit.policy))].join(', ');
    throw new UsageError(`--policy is "${policy}"; allowed: a policy of ${plan}: ${names}.`);
  }
  const nameWidth = Math.max('limit'.length, ...chosen.map(({ name }) => name.length));
  const lineOf = ([name = '', ...cells]: readonly string[]) =>
    [name.padEnd(nameWidth), ...cells.map((cell, i) => cell.padStart(widths[i] as number))].join('  ').trimEnd();
  say(lineOf(['limit', ...head]));
  for (const { name, ...changes } of chosen)
    for (const outageS of outagesS)
      say(
        lineOf([name, String(outageS), ...(await cellsOf(boundsOf(instances, changes), instances, outageS, signal))]),
      );
}

function textOf(path: string): string {
  try {
    return readFileSync(resolve(typedIn, path), 'utf8');
  } catch (error) {
    throw new UsageError(`--plan is "${path}", which cannot be read: ${(error as Error).message}`);
  }
}

async function cellsOf(
  bounds: Plan['bounds'],
  instances: number,
  outageS: number,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const options = { bounds, instances, outageS };
  const how = (told: boolean, deploy: boolean) => costOf({ ...options, told, deploy }, service, signal);
  if (requestsFor({ ...options, told: true, deploy: false }) > requestsMax) {
    const bound = instances * bounds.fallbackCapacity + bounds.refillPerSecond * outageS;
    return ['not measured', bound.toFixed(0), ...costHead.slice(2).map(() => '')];
  }
  const [usual, told, counted] = [await how(true, false), await how(true, true), await how(false, true)];
  return costCells(usual, told, counted);
}

/** In the columns' order. */
export function costCells(usual: Cost, told: Cost, counted: Cost): string[] {
  const { admitted, bound, byRedis, backMs, connects, commands } = usual;
  return [admitted, bound, byRedis, told.admitted, counted.admitted, backMs, connects, commands].map((count) =>
    count.toFixed(0),
  );
}

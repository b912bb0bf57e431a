// The pictures of what an outage costs, simulated anew each time they are drawn.

import { type Cost, costOf } from '../../chaos/simulation/costs.ts';
import { boundsOf } from '../../chaos/simulation/plan.ts';
import { service } from '../../scenarios/simulated/limiter.ts';
import { type Line, linePicture } from './line-picture.ts';

/** As in the example of service/DESIGN.md. */
const limit = { capacity: 100, refillPerSecond: 100 / 60 };
const outagesS = [10, 30, 60, 120];
const fleets = [2, 5, 10];
const largerFleets = [2, 10, 30, 60, 100];
/** `RATE_LIMIT_BURST`: half of the limit, and a tenth. */
const bursts = [50, 10] as const;

/** What draws each picture, by its path from the project's directory. */
export const costPictures = {
  'chaos/simulation/tokens.svg': tokens,
  'chaos/simulation/back.svg': back,
  'chaos/simulation/deploy.svg': deploy,
} as const;

export type CostPicture = keyof typeof costPictures;

function cost(
  instances: number,
  outageS: number,
  { burst = bursts[0], told = true, deploy = false }: { burst?: number; told?: boolean; deploy?: boolean } = {},
): Promise<Cost> {
  const bounds = boundsOf(instances, { ...limit, fallbackCapacity: burst });
  return costOf({ bounds, instances, outageS, told, deploy }, service);
}

async function tokens(): Promise<string> {
  const panel = async (burst: number) => {
    const lines: Line[] = [];
    for (const instances of fleets) {
      const costs = await each(outagesS, (outageS) => cost(instances, outageS, { burst }));
      lines.push(
        { name: `${instances} instances`, points: costs.map(([s, it]) => [s, it.admitted] as const) },
        { name: 'bound', isBound: true, points: costs.map(([s, it]) => [s, it.bound] as const) },
      );
      if (instances === fleets.at(-1))
        lines.push({ name: 'Redis would have', points: costs.map(([s, it]) => [s, it.byRedis] as const) });
    }
    return { title: `Tokens given, RATE_LIMIT_BURST=${burst}`, across: 'seconds of outage', lines };
  };
  return linePicture('Tokens that one key is given, by the length of an outage', [
    await panel(bursts[0]),
    await panel(bursts[1]),
  ]);
}

async function back(): Promise<string> {
  const costs = await each(largerFleets, (instances) => cost(instances, 10));
  const line = (name: string, of: (cost: Cost) => number): Line => ({
    name,
    points: costs.map(([instances, it]) => [instances, of(it)] as const),
  });
  const across = 'instances';
  return linePicture(
    'How soon a fleet is back on Redis after an outage, and what Redis has to do in the busiest second',
    [
      { title: 'ms until all are back on Redis', across, lines: [line('the last instance', (it) => it.backMs)] },
      {
        title: 'Busiest second of Redis',
        across,
        lines: [line('commands', (it) => it.commands), line('connections', (it) => it.connects)],
      },
    ],
  );
}

async function deploy(): Promise<string> {
  const instances = 10;
  const line = async (name: string, options: Parameters<typeof cost>[2]): Promise<Line> => {
    const costs = await each(outagesS, (outageS) => cost(instances, outageS, options));
    return { name, points: costs.map(([s, it]) => [s, it.admitted - it.byRedis] as const) };
  };
  return linePicture('Tokens of one key beyond what Redis would have given, when instances are replaced in an outage', [
    {
      title: `Tokens too many, ${instances} instances`,
      across: 'seconds of outage',
      lines: [
        await line('no deploy', {}),
        await line('INSTANCES set', { deploy: true }),
        await line('counted', { deploy: true, told: false }),
      ],
    },
  ]);
}

/** One after another: a world takes JavaScript's clocks while it lives. */
async function each<T>(values: readonly number[], of: (value: number) => Promise<T>): Promise<[number, T][]> {
  const results: [number, T][] = [];
  for (const value of values) results.push([value, await of(value)]);
  return results;
}

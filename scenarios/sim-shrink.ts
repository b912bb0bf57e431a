// The smallest world that still fails: with the fewest faults, then instances, then requests.

import type { Judged } from '../chaos/simulation/judged-world.ts';
import type { Plan } from '../chaos/simulation/plan.ts';
import { fewest } from './shrink.ts';
import { planOf, type WorldOptions } from './sim-options.ts';

/** A seed of a thousand instances is not tried for ever. */
const triesMax = 60;

/** Names of the checks that fail. */
export function failing({ checks }: Pick<Judged, 'checks'>): ReadonlySet<string> {
  return new Set(checks.filter(({ verdict }) => verdict === 'fail').map(({ name }) => name));
}

/** `of`: the checks that fail in the world of these options; a smaller one must fail by one of them. */
export async function shrunk(
  options: WorldOptions,
  of: ReadonlySet<string>,
  judge: (plan: Plan) => Promise<Judged>,
): Promise<WorldOptions> {
  let tries = 0;
  const fails = async (smaller: WorldOptions): Promise<boolean> => {
    if (tries++ >= triesMax) return false;
    return [...failing(await judge(planOf(smaller)))].some((name) => of.has(name));
  };
  const plan = planOf(options);
  let best: WorldOptions = { ...options, rate: plan.rate };
  const all = options.faults ?? plan.faults.map((_, i) => i);
  if (await fails({ ...best, faults: [] })) best = { ...best, faults: [] };
  else best = { ...best, faults: await fewest(all, (faults) => fails({ ...best, faults })) };
  for (const instances of [1, 2, 3, 5, 10, 20, 50, 100].filter((count) => count < options.instances)) {
    const rate = Math.max(1, Math.round((plan.rate * instances) / plan.instances));
    const smaller = { ...best, instances, rate };
    if (!(await fails(smaller))) continue;
    best = smaller;
    break;
  }
  for (let rate = best.rate ?? plan.rate; rate >= 2; rate = Math.floor(rate / 2)) {
    const smaller = { ...best, rate: Math.floor(rate / 2) };
    if (!(await fails(smaller))) break;
    best = smaller;
  }
  return best;
}

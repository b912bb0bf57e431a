// `npm run bench -- --package`: the package inside an Express 5 app, beside the packages that it replaces.

import { bareExpress, expressRateLimit, failopenExpress, rateLimiterFlexible } from './contenders.ts';
import { loadApart } from './cores.ts';
import type { Bench } from './field.ts';
import { leaveResults, type Plan } from './plan.ts';
import { hotKey, manyKeys, throughputs } from './workloads.ts';

/** Prints requests per second, and ratios in the same round; leaves the figures in a file. */
export async function measurePackage(plan: Plan, bench: Bench): Promise<void> {
  const all = [bareExpress, failopenExpress, expressRateLimit, rateLimiterFlexible];
  const references = [bareExpress.name, rateLimiterFlexible.name, expressRateLimit.name] as const;
  const apart = loadApart();
  const requestsPerSecond = {
    [manyKeys.name]: await throughputs(all, manyKeys, references, apart?.loaded, plan, bench),
    [hotKey.name]: await throughputs(all, hotKey, references, apart?.loaded, plan, bench),
  };
  leaveResults(plan, 'package-', { cores: apart, requestsPerSecond });
}

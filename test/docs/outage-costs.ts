// The table of what an outage costs, simulated anew each time it is written.

import { costOf } from '../../chaos/simulation/costs.ts';
import { boundsOf } from '../../chaos/simulation/plan.ts';
import { costCells, costHead } from '../../scenarios/sim-plan.ts';
import { service } from '../../scenarios/simulated/limiter.ts';
import { table } from './markers.ts';

/** As in the example of service/DESIGN.md. */
const limit = { capacity: 100, refillPerSecond: 100 / 60, fallbackCapacity: 50 };
const outageS = 30;
const fleets = [2, 10, 50];

export async function outageCosts(): Promise<string> {
  const rows: string[][] = [];
  for (const instances of fleets) {
    const how = (told: boolean, deploy: boolean) =>
      costOf({ bounds: boundsOf(instances, limit), instances, outageS, told, deploy }, service);
    const [usual, told, counted] = [await how(true, false), await how(true, true), await how(false, true)];
    rows.push([String(instances), ...costCells(usual, told, counted)]);
  }
  return table(['instances', ...costHead], rows);
}

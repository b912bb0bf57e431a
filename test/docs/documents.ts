// Which page has which generated blocks, and which file is generated as a whole.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { targetSchema } from '../../chaos/targets/file-shape.ts';
import { policiesSchema } from '../../service/config/policies-shape.ts';
import { type Blocks, filled } from './markers.ts';
import { outageCosts } from './outage-costs.ts';
import { replays } from './replays.ts';
import {
  alertList,
  badLimiterList,
  checkList,
  exitStatusList,
  families,
  faultList,
  latencyRateList,
  metricList,
  mutationList,
  reasonList,
  routeList,
  rulesFieldList,
  scenarioList,
  settings,
  simulatedDefectList,
  simulatedFaultList,
  situationList,
  targetList,
} from './tables.ts';
import { wireExamples } from './wire.ts';

export const projectDirectory: string = join(import.meta.dirname, '..', '..');

const textOf = (path: string) => readFileSync(join(projectDirectory, path), 'utf8');

/** Path from the project's directory, and the blocks between its markers. */
async function blocksOf(): Promise<Readonly<Record<string, Blocks>>> {
  const store = textOf('service/core/store.ts');
  return {
    'README.md': { families: families() },
    'service/README.md': {
      settings: settings(),
      routes: routeList(),
      'rules-fields': rulesFieldList(),
      ...(await wireExamples()),
    },
    'chaos/README.md': {
      scenarios: scenarioList(),
      faults: faultList(),
      'exit-statuses': exitStatusList(),
      targets: targetList(),
      'target-file': `\`\`\`yaml\n${textOf('chaos/targets/example.yaml')}\`\`\``,
      'bad-limiters': badLimiterList(),
      situations: situationList(),
      'simulated-faults': simulatedFaultList(),
      'outage-costs': await outageCosts(),
      replays: await replays(),
      'simulated-defects': simulatedDefectList(),
    },
    'chaos/JUDGE.md': { checks: checkList(), 'latency-rates': latencyRateList(), mutations: mutationList() },
    'prometheus/README.md': { metrics: await metricList(), reasons: reasonList(store), alerts: alertList() },
  };
}

/** Path and content of every file that is generated, or has generated blocks, as it should be. */
export async function documents(): Promise<ReadonlyMap<string, string>> {
  const pages = Object.entries(await blocksOf());
  const filled = pages.map(([path, blocks]) => [path, inPage(path, blocks)] as const);
  return new Map([
    ...filled,
    ['chaos/targets/target.schema.json', targetSchema()],
    ['service/config/policies.schema.json', policiesSchema()],
  ]);
}

function inPage(path: string, blocks: Blocks): string {
  try {
    return filled(textOf(path), blocks);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

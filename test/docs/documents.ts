// Which page has which generated blocks.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Blocks, filled } from './markers.ts';
import {
  alertList,
  checkList,
  exitStatusList,
  families,
  faultList,
  metricList,
  mutationList,
  reasonList,
  scenarioList,
  settings,
} from './tables.ts';
import { wireExamples } from './wire.ts';

export const projectDirectory: string = join(import.meta.dirname, '..', '..');

const textOf = (path: string) => readFileSync(join(projectDirectory, path), 'utf8');

/** Path from the project's directory, and the blocks between its markers. */
async function blocksOf(): Promise<Readonly<Record<string, Blocks>>> {
  const store = textOf('service/core/store.ts');
  return {
    'README.md': { families: families() },
    'service/README.md': { settings: settings(), ...(await wireExamples()) },
    'chaos/README.md': { scenarios: scenarioList(), faults: faultList(), 'exit-statuses': exitStatusList() },
    'chaos/JUDGE.md': { checks: checkList(), mutations: mutationList() },
    'prometheus/README.md': { metrics: await metricList(), reasons: reasonList(store), alerts: alertList() },
  };
}

/** Path and content of every page with generated blocks, as it should be. */
export async function documents(): Promise<ReadonlyMap<string, string>> {
  const pages = Object.entries(await blocksOf());
  return new Map(pages.map(([path, blocks]) => [path, inPage(path, blocks)]));
}

function inPage(path: string, blocks: Blocks): string {
  try {
    return filled(textOf(path), blocks);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

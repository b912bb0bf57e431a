// `npm run dashboards` writes the dashboards with this; a test says that they are up to date.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { chaosRun } from './chaos-run.ts';
import { fleet } from './fleet.ts';
import { limiter } from './limiter.ts';

export const dashboards: ReadonlyMap<string, Dashboard> = new Map([
  ['limiter.json', limiter.build()],
  ['chaos-run.json', chaosRun.build()],
  ['fleet.json', fleet.build()],
]);

export const dashboardDirectory: string = join(import.meta.dirname, 'dashboards');

export function dashboardFile(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

export function writeDashboards(): void {
  for (const [path, dashboard] of dashboards) {
    writeFileSync(join(dashboardDirectory, path), dashboardFile(dashboard));
  }
}

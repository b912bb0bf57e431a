// The committed dashboards as Grafana reads them, and what there is to know of one.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboardDirectory, dashboards } from '../../grafana/generate.ts';

export interface Query {
  readonly dashboard: string;
  readonly panel: string;
  readonly expr: string;
  readonly legend: string;
}

export function committedDashboards(): Dashboard[] {
  return [...dashboards.keys()].map((file) => JSON.parse(readFileSync(join(dashboardDirectory, file), 'utf8')));
}

/** Rows are left out: they only have a title. */
export function panelsOf(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? []).flatMap((panel) => (panel.type === 'row' ? [] : [panel as Panel]));
}

export function queriesOf(dashboard: Dashboard): Query[] {
  return panelsOf(dashboard).flatMap((panel) =>
    (panel.targets ?? []).map((target) => {
      const { expr, legendFormat } = target as { expr?: string; legendFormat?: string };
      return {
        dashboard: dashboard.title ?? '',
        panel: panel.title ?? '',
        expr: expr ?? '',
        legend: legendFormat ?? '',
      };
    }),
  );
}

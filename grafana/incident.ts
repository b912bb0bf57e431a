// What Prometheus has of an incident, asked with the very expressions of the dashboards' panels: what is drawn of it is
// what the dashboards show.

import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { queryRange, type Series } from '../prometheus/query.ts';
import { limiterJob } from '../prometheus/rules.ts';
import { chaosRun } from './chaos-run.ts';
import { limiter } from './limiter.ts';
import { substituted } from './variables.ts';

export interface Incident {
  readonly scenario: string;
  readonly seed: number;
  readonly verdict: string;
  /** The stretch of time that is shown, in seconds since the injection of the fault. */
  readonly fromS: number;
  readonly toS: number;
  /** For how many seconds it was in place. */
  readonly faultS: number;
  readonly panels: readonly PanelData[];
}

export interface PanelData {
  readonly title: string;
  readonly queries: readonly { readonly expr: string; readonly lines: readonly Line[] }[];
}

export interface Line {
  /** As the legend calls it. */
  readonly name: string;
  /** Seconds since the fault, and value; null for none. */
  readonly points: readonly (readonly [number, number | null])[];
}

const dashboards = { limiter: limiter.build(), chaosRun: chaosRun.build() };

/** The panels of the picture, from top to bottom. */
export const picturedPanels: readonly Panel[] = [
  panelOf('chaosRun', 'Latency, faulted arm'),
  panelOf('limiter', 'Decisions by mechanism'),
  panelOf('limiter', 'Breaker'),
  panelOf('limiter', 'Failed calls to Redis'),
  panelOf('limiter', 'Alerts firing'),
  panelOf('chaosRun', 'Most popular key: admitted, and the bound'),
];
const stepS = 0.5;

/** Of the panels, between two instants in Unix seconds; `zeroS` is that of the injection. */
export async function panelData(url: string, fromS: number, toS: number, zeroS: number): Promise<PanelData[]> {
  const panels: PanelData[] = [];
  for (const panel of picturedPanels) {
    const queries = [];
    for (const { expr, legend } of targetsOf(panel)) {
      const series = await queryRange(url, expressionFor(expr), fromS, toS, stepS);
      queries.push({ expr: expressionFor(expr), lines: series.map((each) => lineOf(each, legend, zeroS)) });
    }
    panels.push({ title: panel.title ?? '', queries });
  }
  return panels;
}

/** Expression and legend of every query of a panel. */
export function targetsOf({ targets }: Panel): { expr: string; legend: string }[] {
  return (targets ?? []).map((target) => {
    const { expr = '', legendFormat = '' } = target as { expr?: string; legendFormat?: string };
    return { expr, legend: legendFormat };
  });
}

export function expressionFor(expr: string): string {
  return substituted(expr, limiterJob);
}

function lineOf({ labels, samples }: Series, legend: string, zeroS: number): Line {
  const points = samples.map(
    ([atS, value]) => [hundredths(atS - zeroS), Number.isFinite(value) ? Number(value.toPrecision(4)) : null] as const,
  );
  return { name: legend.replace(/{{(\w+)}}/g, (_, label: string) => labels[label] ?? ''), points };
}

export function hundredths(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}

function panelOf(dashboard: keyof typeof dashboards, title: string): Panel {
  const panel = dashboards[dashboard].panels?.find((candidate) => candidate.title === title);
  if (!panel || panel.type === 'row') throw new Error(`there is no panel "${title}"`);
  return panel as Panel;
}

// The rules of Grafana's dashboard-linter for Prometheus, by their names there:
// https://github.com/grafana/dashboard-linter/tree/main/docs

import type { Dashboard, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';
import { substituted } from '../../grafana/variables.ts';
import { panelsOf, queriesOf } from './dashboards.ts';
import { type Selector, selectorsIn } from './promql.ts';

export interface Finding {
  readonly rule: string;
  readonly panel: string;
  readonly detail: string;
}

const counters = /_(total|count|sum|bucket)$/;
const chosenDatasource = `\${datasource}`;
const rates = ['rate', 'irate', 'increase'];

export function lint(dashboard: Dashboard): Finding[] {
  return [...lintPage(dashboard), ...lintVariables(dashboard), ...lintPanels(dashboard), ...lintTargets(dashboard)];
}

function lintPage({ editable }: Dashboard): Finding[] {
  return editable === false ? [] : [{ rule: 'uneditable-dashboard', panel: '', detail: 'can be edited' }];
}

function lintVariables({ templating }: Dashboard): Finding[] {
  const variables = new Map((templating?.list ?? []).map((variable) => [variable.name, variable]));
  const findings: Finding[] = [];
  const require = (rule: string, name: string, holds: (variable: VariableModel) => boolean) => {
    const variable = variables.get(name);
    if (!variable || !holds(variable)) findings.push({ rule, panel: '', detail: name });
  };
  require('template-datasource-rule', 'datasource', ({ type, query }) =>
    type === 'datasource' && query === 'prometheus');
  for (const name of ['job', 'instance']) {
    require(`template-${name}-rule`, name, ({ type, multi, includeAll, allValue, datasource }) =>
      Boolean(type === 'query' && multi && includeAll && allValue === '.+' && datasource?.uid === chosenDatasource));
  }
  for (const { type, name, query, refresh } of variables.values()) {
    if (type !== 'query') continue;
    if (refresh !== 2) findings.push({ rule: 'template-on-time-change-reload-rule', panel: '', detail: name });
    const selector = /^label_values\((.*), \w+\)$/.exec(String(query))?.[1] ?? '{';
    if (parsed(substituted(selector, '.+')) === undefined) {
      findings.push({ rule: 'template-label-promql-rule', panel: '', detail: name });
    }
  }
  return findings;
}

function lintPanels(dashboard: Dashboard): Finding[] {
  return panelsOf(dashboard).flatMap(({ title, description, datasource, targets, fieldConfig }) => {
    const rules = {
      'panel-datasource-rule': datasource?.uid === chosenDatasource,
      'panel-title-description-rule': Boolean(title && description),
      'panel-units-rule': Boolean(fieldConfig?.defaults.unit),
      'panel-no-targets-rule': Boolean(targets?.length),
    };
    return Object.entries(rules).flatMap(([rule, holds]) => (holds ? [] : [{ rule, panel: title ?? '', detail: '' }]));
  });
}

function lintTargets(dashboard: Dashboard): Finding[] {
  return queriesOf(dashboard).flatMap(({ panel, expr }) => {
    const selectors = parsed(substituted(expr, '.+')) && parsed(expr.replaceAll('$__rate_interval', '4321s'));
    if (!selectors) return [{ rule: 'target-promql-rule', panel, detail: expr }];
    return selectors.flatMap(({ metric, matchers, range, inside }) => {
      const chooses = (label: string) =>
        matchers.some((it) => it.label === label && it.operator === '=~' && it.value === `$${label}`);
      const rules = {
        'target-rate-interval-rule': !rates.includes(inside ?? '') || range === '4321s',
        'target-job-rule': chooses('job'),
        'target-instance-rule': chooses('instance'),
        'target-counter-agg-rule': !counters.test(metric) || rates.includes(inside ?? ''),
      };
      return Object.entries(rules).flatMap(([rule, holds]) => (holds ? [] : [{ rule, panel, detail: metric }]));
    });
  });
}

function parsed(expr: string): Selector[] | undefined {
  try {
    return selectorsIn(expr);
  } catch {
    return undefined;
  }
}

// A whole dashboard: rows of panels, and around them the variables, links and annotations that all dashboards have.

import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableHide,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { limiterJob } from '../prometheus/rules.ts';
import { type AnyPanel, chosenRun, datasource, datasourceUid } from './parts.ts';

const tag = 'failopen';

export interface Row {
  readonly title: string;
  readonly panels: readonly AnyPanel[];
}

export interface Page {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
}

export function dashboard({ uid, title, description, rows }: Page): DashboardBuilder {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([tag])
    .readonly() // changed here and generated anew, never in a browser
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-5m', to: 'now' })
    .refresh('5s')
    .link(
      new DashboardLinkBuilder('Dashboards')
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        .includeVars(true)
        .keepTime(true),
    )
    .annotation(
      new AnnotationQueryBuilder()
        .name('Faults')
        .datasource(datasource)
        .enable(true)
        .iconColor('red')
        .expr(`chaos_fault_active{${chosenRun}} == 1`)
        .step('1s')
        .titleFormat('{{fault}}')
        .textFormat('{{link}}')
        .tagKeys('scenario'),
    )
    .annotation(
      new AnnotationQueryBuilder()
        .name('Phases')
        .datasource(datasource)
        .enable(false)
        .iconColor('blue')
        .expr(`chaos_phase{${chosenRun}} == 1`)
        .step('1s')
        .titleFormat('{{phase}}')
        .tagKeys('scenario'),
    );
  for (const variable of variables()) builder.withVariable(variable);
  let id = 0;
  for (const { title, panels } of rows) {
    builder.withRow(new RowBuilder(title).id(++id));
    for (const panel of panels) builder.withPanel(panel.id(++id));
  }
  return builder;
}

function variables() {
  const all = { text: 'All', value: '$__all' };
  const choice = (name: string, label: string, query: string, chosenFirst = all) =>
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(datasource)
      .query(query)
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .multi(true)
      .includeAll(true)
      .allValue('.+')
      .current({ ...chosenFirst, selected: true });
  return [
    new DatasourceVariableBuilder('datasource')
      .label('Data source')
      .type('prometheus')
      .hide(VariableHide.DontHide)
      .current({ text: 'Prometheus', value: datasourceUid, selected: true }),
    // Not all: beside a run there is the job of the control arm, which is no part of the fleet.
    choice('job', 'Job', 'label_values(rate_limit_requests_total, job)', { text: limiterJob, value: limiterJob }),
    choice('instance', 'Instance', 'label_values(rate_limit_requests_total{job=~"$job"}, instance)'),
    choice('scenario', 'Scenario', 'label_values(chaos_phase, scenario)').allValue('.*'),
  ];
}

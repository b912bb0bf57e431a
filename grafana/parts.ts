// The panels that the dashboards are made of, alike on all of them. A panel is title, description, unit and queries; how it is drawn is decided here, once per kind.

import {
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TableCellDisplayMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  MappingType,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';
import { objective } from '../prometheus/rules.ts';

/** As provisioned. */
export const datasourceUid = 'failopen-prometheus';
export const datasource = { type: 'prometheus', uid: `\${datasource}` };

/** The promise, in seconds. */
export const promiseSeconds = Number(objective.le);
/** The limiter instances that the variables choose, and the lab's runs. */
export const chosen = 'job=~"$job", instance=~"$instance"';
export const chosenRun = 'scenario=~"$scenario"';

export interface Panel {
  readonly title: string;
  readonly description: string;
  /** Grafana's id of a unit. */
  readonly unit: string;
  /** Expression and legend. */
  readonly queries: readonly (readonly [string, string])[];
  /** Of 24 columns. */
  readonly width?: number;
  /** Value from which on something is amiss; drawn as a line. */
  readonly limit?: number;
  /** What is amiss is to be below the limit. */
  readonly lowIsBad?: boolean;
  readonly stacked?: boolean;
  /** Grafana's name of a colour, by legend. */
  readonly colours?: Readonly<Record<string, string>>;
  /** More lines than a list under the panel can name: a table beside it, the highest first. */
  readonly many?: boolean;
  readonly max?: number;
}

/** Who decided has the same colour everywhere; `none` is no answer at all. */
export const mechanismColours = { redis: 'blue', fallback: 'orange', none: 'red' } as const;

/** Colour and word of each value of a state. */
export type States = Readonly<Record<number, readonly [string, string]>>;

export function lines({ stacked, ...panel }: Panel): TimeSeries {
  const builder = common(new TimeSeries(), panel)
    .min(0)
    .lineWidth(1)
    .fillOpacity(stacked ? 40 : 8)
    .drawStyle(GraphDrawStyle.Line)
    .showPoints(VisibilityMode.Never)
    .spanNulls(false)
    .thresholdsStyle(
      new GraphThresholdsStyleConfigBuilder().mode(
        panel.limit === undefined ? GraphThresholdsStyleMode.Off : GraphThresholdsStyleMode.Dashed,
      ),
    )
    .legend(legend(panel))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi));
  if (panel.max !== undefined) builder.max(panel.max);
  for (const [name, fixedColor] of Object.entries(panel.colours ?? {})) {
    builder.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor } }]);
  }
  if (stacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  return builder;
}

function legend({ many }: Pick<Panel, 'many'>): VizLegendOptionsBuilder {
  const builder = new VizLegendOptionsBuilder().showLegend(true);
  if (!many) return builder.displayMode(LegendDisplayMode.List);
  return builder
    .displayMode(LegendDisplayMode.Table)
    .placement(LegendPlacement.Right)
    .calcs(['max'])
    .sortBy('Max')
    .sortDesc(true);
}

export function stat(panel: Panel): Stat {
  return common(new Stat(), { width: 6, ...panel })
    .height(4)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
}

export function timeline(panel: Omit<Panel, 'unit'>, states: States): StateTimeline {
  const options = Object.fromEntries(
    Object.entries(states).map(([value, [text, color]]) => [value, { text, color, index: Number(value) }]),
  );
  return common(new StateTimeline(), { ...panel, unit: 'none' })
    .mappings([{ type: MappingType.ValueToText, options }])
    .mergeValues(true)
    .showValue(VisibilityMode.Never)
    .fillOpacity(80)
    .lineWidth(0)
    .legend(legend({}));
}

/** The labels of what the query gives, one series a row; `hidden` are not shown, words that `colours` names are coloured. */
export function table({ queries, colours = {}, ...panel }: Panel, hidden: readonly string[]): Table {
  const options = Object.fromEntries(Object.entries(colours).map(([text, color], index) => [text, { color, index }]));
  const builder = common(new Table(), { ...panel, queries: [] })
    .mappings([{ type: MappingType.ValueToText, options }])
    .cellOptions({ type: TableCellDisplayMode.ColorText });
  const excludeByName = Object.fromEntries(hidden.map((name) => [name, true]));
  for (const query of targets(queries)) builder.withTarget(query.instant().format(PromQueryFormat.Table));
  return builder.withTransformation({ id: 'organize', options: { excludeByName } });
}

export type AnyPanel = TimeSeries | Stat | StateTimeline | Table;

function common<B extends AnyPanel>(builder: B, panel: Panel): B {
  const { title, description, unit, queries, width, limit, lowIsBad } = panel;
  builder
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(datasource)
    .span(width ?? 12)
    .height(8);
  const [fine, amiss] = lowIsBad ? ['red', 'green'] : ['green', 'red'];
  const steps: Threshold[] = [{ value: null, color: limit === undefined ? 'green' : fine }];
  if (limit !== undefined) steps.push({ value: limit, color: amiss });
  builder.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps));
  for (const query of targets(queries)) builder.withTarget(query);
  return builder;
}

function targets(queries: Panel['queries']): DataqueryBuilder[] {
  return queries.map(([expr, legend], index) =>
    new DataqueryBuilder()
      .refId(String.fromCharCode(65 + index))
      .datasource(datasource)
      .expr(expr)
      .legendFormat(legend),
  );
}

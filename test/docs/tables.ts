// The tables of the documents, each from the code that it describes.

import { z } from 'zod';
import { boundsOf } from '../../chaos/bounds.ts';
import { checks } from '../../chaos/checks/index.ts';
import { exitStatuses } from '../../chaos/errors.ts';
import { faultKinds, faultOf } from '../../chaos/faults/index.ts';
import type { Scenario } from '../../chaos/scenario.ts';
import { effectOf, faultKinds as simulatedFaultKinds } from '../../chaos/simulation/faults.ts';
import { situations } from '../../chaos/simulation/situations.ts';
import { targets } from '../../chaos/targets/index.ts';
import { type AlertingRule, deployed, ruleGroups } from '../../prometheus/rules.ts';
import { scenarios } from '../../scenarios/index.ts';
import { descriptorShape, domainShape, rateLimitShape } from '../../service/config/rls/shape.ts';
import { configRows } from '../../service/config/rows.ts';
import { storeErrorReasons } from '../../service/core/store.ts';
import type { ApiParts } from '../../service/doors/json/api-parts.ts';
import { routesOf } from '../../service/doors/json/routes.ts';
import { Metrics, type MetricsSnapshot, WorkersMetrics } from '../../service/metrics/metrics.ts';
import { harmsMs, machines } from '../support/latency-rates.ts';
import { badLimiters, defectOf, exposing } from '../support/limiters/index.ts';
import { mutations } from '../support/mutations.ts';
import { simulatedDefects } from '../support/simulated-defects.ts';
import { code, table } from './markers.ts';

/** The JSON API, as it is with all tokens set. */
export function routeList(): string {
  const tokens = { api: '', admin: '' };
  const tokenOf = { public: '', api: code('API_TOKEN'), admin: code('ADMIN_TOKEN') };
  return table(
    ['request', 'does', 'token'],
    routesOf({ tokens } as ApiParts).map(({ method, path, summary, access }) => [
      code(`${method} ${path}`),
      summary,
      tokenOf[access],
    ]),
  );
}

/** The fields of a file of rules: where each may stand, and what it does or why it is refused. */
export function rulesFieldList(): string {
  const shapes: readonly (readonly [string, z.ZodRawShape])[] = [
    ['', domainShape],
    ['descriptors[].', descriptorShape],
    ['descriptors[].rate_limit.', rateLimitShape],
  ];
  const rows = shapes.flatMap(([place, shape]) =>
    Object.entries(shape).map(([field, schema]) => {
      const { description = '', refused } = z.globalRegistry.get(schema as z.ZodType) ?? {};
      if (description === '') throw new Error(`the field ${field} does not say what it is`);
      return [code(place + field), refused ? 'refused' : 'yes', description];
    }),
  );
  return table(['field', 'supported', 'meaning, or why not'], rows);
}

/** The service's environment. */
export const settings = (): string =>
  table(
    ['variable', 'default', 'meaning'],
    configRows.map(({ name, default: standard, meaning, unit }) => [
      code(name),
      code(standard),
      unit === '' ? meaning : `${meaning} (${unit})`,
    ]),
  );

export const scenarioList = (): string =>
  table(
    ['scenario', 'hypothesis'],
    scenarios.map(({ name, hypothesis }) => [code(name), hypothesis]),
  );

const familyMeanings: Readonly<Record<Scenario['family'], string>> = {
  steady: 'nothing',
  load: 'nothing, or the network: it is the load that changes',
  network: 'the network between the limiters and Redis',
  clients: 'the way between the clients and the limiters',
  observers: 'those who only watch the limiters',
  redis: 'the one Redis',
  process: 'one limiter instance',
  topology: 'one master of a Redis Cluster, or the master under Sentinel',
};

const shownMax = 5;

/** As many as a cell has room for. */
function someOf(names: readonly string[]): string {
  if (names.length <= shownMax) return names.join(', ');
  return `${names.slice(0, shownMax - 1).join(', ')} and ${names.length - shownMax + 1} more`;
}

export const families = (): string =>
  table(
    ['family', 'what is broken', 'scenarios'],
    [...Map.groupBy(scenarios, ({ family }) => family)].map(([family, members]) => [
      family,
      familyMeanings[family],
      someOf(members.map(({ name }) => code(name))),
    ]),
  );

/** Once for each kind and example, as it is with the service's default settings. */
export function faultList(): string {
  const bounds = boundsOf({ INSTANCES: '2' });
  const codes = (words: readonly string[]) => words.map(code).join(', ');
  return table(
    ['fault', 'what a report says of it', 'effect', 'buckets', 'can hit', 'needs'],
    faultKinds.flatMap(({ kind, examples }) =>
      examples.map((spec) => {
        const { kind: _, ...parameters } = spec;
        const given = Object.entries(parameters).map(([name, value]) => code(`${name}: ${value}`));
        const { needs, reaches, facts } = faultOf(spec);
        const { description, effect, state } = facts(bounds);
        return [[code(kind), ...given].join(' '), description, effect, state, codes(reaches), codes(needs)];
      }),
    ),
  );
}

export const targetList = (): string =>
  table(
    ['target', 'the limiter'],
    targets.map(({ name, about }) => [code(name), about]),
  );

export const badLimiterList = (): string =>
  table(
    ['limiter', 'defect', 'scenario', 'check that fails'],
    badLimiters.map((bad) => [code(bad.name), defectOf(bad), code(exposing[bad.scenario].name), code(bad.check)]),
  );

/** What a simulated fleet can be put through. */
export const situationList = (): string =>
  table(
    ['`--scenario`', 'hypothesis'],
    situations.map(({ name, hypothesis }) => [code(name), hypothesis]),
  );

export const simulatedFaultList = (): string =>
  table(
    ['fault', 'what is broken'],
    simulatedFaultKinds.map((kind) => [code(kind), effectOf(kind).about]),
  );

export const simulatedDefectList = (): string =>
  table(
    ['limiter', 'defect', 'check that fails', 'storms until found'],
    simulatedDefects.map(({ name, defect, check, seed }) => [code(name), defect, code(check), String(seed + 1)]),
  );

export const checkList = (): string =>
  table(
    ['check', 'property'],
    checks.map(({ name, property }) => [name, property]),
  );

/** What the judge catches, from which size on. */
export const mutationList = (): string =>
  table(
    ['what is wrong', 'check', 'verdict'],
    mutations.map(({ kind, smallest, check, verdict }) => [kind.replace('{}', String(smallest)), check, verdict]),
  );

/** How often the latency check is right and wrong. */
export const latencyRateList = (): string =>
  table(
    ['machine', 'answers', 'sound', ...harmsMs.slice(1).map((ms) => (ms === 0 ? 'at the limit' : `${ms} ms over it`))],
    machines.flatMap(({ name, rates }) =>
      [
        { answers: '700', counts: rates.onset },
        { answers: '2100', counts: rates.fault },
      ].map(({ answers, counts }) => [name, answers, ...counts.map((each) => each.join(' · '))]),
    ),
  );

export const exitStatusList = (): string =>
  table(
    ['exit status', 'meaning'],
    exitStatuses.map(({ status, meaning }) => [code(String(status)), meaning]),
  );

/** The metrics that are the service's own, in the order of their names. */
export async function metricList(): Promise<string> {
  const reloads = { accepted: 0, refused: 0, isLastAccepted: true, loadedAt: 0, hash: 0 };
  const metrics = new Metrics({
    policies: { all: ['default'], shadow: ['default'] },
    fallbackKeys: () => 0,
    breakerStates: () => ['closed'],
    logLinesDropped: () => 0,
    reloaded: (['policies', 'rules'] as const).map((name) => ({ name, reloads })),
  });
  const all = [
    ...(await metrics.counts()),
    ...(await new WorkersMetrics({ ready: () => 1, logLinesDropped: () => 0 }).all()),
  ];
  const once = new Map(all.map((metric) => [metric.name, metric])); // with WORKERS some are told by two processes
  const rows = [...once.values()].map((metric) => [
    code(metric.name),
    String(metric.type),
    labelsOf(metric),
    metric.help,
  ]);
  return table(
    ['metric', 'type', 'labels', 'meaning'],
    rows.sort(([one = ''], [other = '']) => one.localeCompare(other)),
  );
}

/** Values are given where they are few. */
function labelsOf({ values }: MetricsSnapshot[number]): string {
  const valuesMax = 4;
  const labels = values.flatMap(({ labels }) => Object.entries(labels)).filter(([name]) => name !== 'le');
  return [...Map.groupBy(labels, ([name]) => name)]
    .map(([name, entries]) => {
      const told = [...new Set(entries.map(([, value]) => code(String(value))))];
      return told.length > valuesMax ? code(name) : `${code(name)}: ${told.join(', ')}`;
    })
    .join('; ');
}

/** `source`: the text of the file that lists the reasons, each on a line of its own with a comment that says what it is. */
export function reasonList(source: string): string {
  return table(
    ['reason', 'meaning'],
    storeErrorReasons.map((reason) => {
      const meaning = new RegExp(`^  '${reason}', // (.*)$`, 'm').exec(source)?.[1];
      if (meaning === undefined) throw new Error(`the reason ${reason} has no comment that says what it is`);
      return [code(reason), meaning];
    }),
  );
}

/** Once for each severity of an alert. */
export function alertList(): string {
  const rules = ruleGroups(deployed).flatMap((group) => group.rules);
  const alerts = rules.filter((rule): rule is AlertingRule => 'alert' in rule);
  return table(
    ['alert', 'severity', 'must hold for'],
    alerts.map(({ alert, labels, for: duration }) => [
      `[${alert}](#${alert.toLowerCase()})`,
      labels.severity,
      duration === '0s' ? 'one evaluation' : duration,
    ]),
  );
}

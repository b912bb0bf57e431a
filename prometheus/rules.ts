// Recording rules and alerts, for a deployment and, with windows of seconds, for a run of the lab: one source, so that
// what fires in a scenario is what would page.
//
// A limiter that fails open looks healthy by rate, errors and duration: requests succeed, latency even falls. So the
// share decided by the fallback has an alert of its own, and so has every other thing that a user does not see. The
// share, not the breaker's state: calls that time out now and then leave the breaker closed and fail open all the same.

export interface Windows {
  /** What `:rate` in a rule's name means. */
  readonly rate: string;
  /** How often the rules are evaluated. */
  readonly interval: string;
  /** How long a condition must hold: `soon` for what cannot be noise, `later` for what may pass by itself. */
  readonly soon: string;
  readonly later: string;
  /** How long nothing may have been scraped: more than a stack that starts needs until its first scrapes. */
  readonly missing: string;
  /** In which the openings of a breaker are counted. */
  readonly flapping: string;
  /** Burn rate: both windows of a pair must be over its factor. */
  readonly burn: Readonly<Record<'page' | 'ticket', { readonly long: string; readonly short: string }>>;
}

/** Burn rate windows: https://sre.google/workbook/alerting-on-slos/, "multiwindow, multi-burn-rate alerts". */
export const deployed: Windows = {
  rate: '1m',
  interval: '15s',
  soon: '1m',
  later: '5m',
  missing: '1m',
  flapping: '15m',
  burn: { page: { long: '1h', short: '5m' }, ticket: { long: '6h', short: '30m' } },
};

/** For scrapes once a second: all of a scenario's fault phase is eight seconds. */
export const lab: Windows = {
  rate: '4s',
  interval: '1s',
  soon: '2s',
  later: '4s',
  missing: '10s', // a Prometheus that starts scrapes for the first time after some 5 s: its discovery throttles its news
  flapping: '30s',
  burn: { page: { long: '12s', short: '4s' }, ticket: { long: '30s', short: '8s' } },
};

export const thresholds = {
  /** Of all decisions, by the fallback. */
  failOpenRatio: 0.1,
  /**
   * Openings of one instance's breaker; of several, on the average, so that an outage that opens all of them is one.
   * `increase` may tell a few percent more than there were, never fewer.
   */
  flappingOpenings: 4,
  /** Times the rate at which the error budget lasts for exactly its period. */
  burnPage: 14.4,
  burnTicket: 6,
  /** Failed calls to Redis per second, by reason, where no breaker stays open: one that does makes a probe a second. */
  storeErrorsPerSecond: 0.1,
  /** 80 % of `FALLBACK_MAX_KEYS`, by its default. */
  fallbackKeys: 80_000,
};

export type Thresholds = Readonly<typeof thresholds>;

/** The promise: 99 % of requests under 9 ms, told by the bucket edge that is exactly there. */
export const objective = { ratio: 0.99, le: '0.009' } as const;
/** The scrape job of the limiter instances. */
export const limiterJob = 'limiter';

/**
 * How many breakers each instance has: one for every worker and Redis master. At least 1, so that one that has not found
 * the masters of its cluster has a breaker that is not closed.
 */
const breakers = 'clamp_min(sum by (job, instance) (rate_limit_breaker_state), 1)';
/** Instances of which fewer breakers are closed, as a share, than of the one in the middle of their job. */
export const disagreeing = (closed: string, closedInJob = closed) =>
  `${closed} < on (job) group_left () quantile by (job) (0.5, ${closedInJob})`;

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: 'page' | 'ticket' };
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}

export interface RuleGroup {
  readonly name: string;
  readonly interval: string;
  readonly rules: readonly (RecordingRule | AlertingRule)[];
}

export function ruleGroups(windows: Windows, limits: Thresholds = thresholds): RuleGroup[] {
  const { interval } = windows;
  return [
    { name: 'limiter-recording', interval, rules: recordingRules(windows) },
    { name: 'limiter-alerts', interval, rules: alertingRules(windows, limits) },
  ];
}

function recordingRules({ rate, burn }: Windows): RecordingRule[] {
  const requests = `rate(rate_limit_requests_total[${rate}])`;
  const withoutRedis = `rate(rate_limit_requests_total{mechanism!="redis"}[${rate}])`;
  const blocked = `rate(rate_limit_requests_total{status="blocked"}[${rate}])`;
  const inTime = (window: string) =>
    `sum by (job) (rate(rate_limit_latency_seconds_bucket{le="${objective.le}"}[${window}]))` +
    ` / sum by (job) (rate(rate_limit_latency_seconds_count[${window}]))`;
  const share = (by: string, part: string) => `sum by (${by}) (${part}) / sum by (${by}) (${requests})`;
  return [
    { record: 'job_mechanism:rate_limit_requests:rate', expr: `sum by (job, mechanism) (${requests})` },
    { record: 'instance_mechanism:rate_limit_requests:rate', expr: `sum by (job, instance, mechanism) (${requests})` },
    { record: 'job:rate_limit_fail_open:ratio_rate', expr: share('job', withoutRedis) },
    { record: 'instance:rate_limit_fail_open:ratio_rate', expr: share('job, instance', withoutRedis) },
    { record: 'job:rate_limit_refused:ratio_rate', expr: share('job', blocked) },
    {
      record: 'instance:rate_limit_breaker_closed:ratio',
      expr: `sum by (job, instance) (rate_limit_breaker_state{state="closed"}) / ${breakers}`,
    },
    {
      record: 'job_reason:rate_limit_store_errors:rate',
      expr: `sum by (job, reason) (rate(rate_limit_store_errors_total[${rate}]))`,
    },
    { record: 'job:rate_limit_in_time:ratio_rate', expr: inTime(rate) },
    { record: 'job:rate_limit_in_time:ratio_rate_page_long', expr: inTime(burn.page.long) },
    { record: 'job:rate_limit_in_time:ratio_rate_page_short', expr: inTime(burn.page.short) },
    { record: 'job:rate_limit_in_time:ratio_rate_ticket_long', expr: inTime(burn.ticket.long) },
    { record: 'job:rate_limit_in_time:ratio_rate_ticket_short', expr: inTime(burn.ticket.short) },
  ];
}

function alertingRules({ rate, soon, later, missing, flapping, burn }: Windows, limits: Thresholds): AlertingRule[] {
  const alert = (
    name: string,
    severity: 'page' | 'ticket',
    duration: string,
    expr: string,
    summary: string,
  ): AlertingRule => ({
    alert: name,
    expr,
    for: duration,
    labels: { severity },
    annotations: { summary, runbook_url: `prometheus/README.md#${name.toLowerCase()}` },
  });
  const burning = (pair: 'page' | 'ticket', factor: number) =>
    (['long', 'short'] as const)
      .map((window) => `(1 - job:rate_limit_in_time:ratio_rate_${pair}_${window}) / ${budget} > ${factor}`)
      .join(' and ');
  const burnSummary = (pair: 'page' | 'ticket', factor: number) =>
    `{{ $labels.job }}: the budget of requests over 9 ms is used up ${factor} times too fast, for ${burn[pair].long} and still.`;
  const openings = `sum by (job, instance) (increase(rate_limit_breaker_transitions_total{from="closed",to="open"}[${flapping}]))`;
  const reloaded = (what: 'Policies' | 'Rules', source: string) => {
    const name = what.toLowerCase();
    return [
      alert(
        `RateLimiter${what}Refused`,
        'ticket',
        soon,
        `rate_limit_${name}_last_reload_successful == 0`,
        `{{ $labels.instance }}: ${source} is refused; the ${name} before it are still in force.`,
      ),
      alert(
        `RateLimiter${what}Differ`,
        'ticket',
        later,
        `max by (job) (rate_limit_${name}_hash) != min by (job) (rate_limit_${name}_hash)`,
        `{{ $labels.job }}: its instances limit by different ${name}.`,
      ),
    ];
  };
  return [
    alert(
      'RateLimiterFailingOpen',
      'page',
      soon,
      `job:rate_limit_fail_open:ratio_rate > ${limits.failOpenRatio}`,
      '{{ $labels.job }}: {{ $value | humanizePercentage }} of all decisions are made without Redis; limits are per instance now, or as policies say.',
    ),
    alert(
      'RateLimiterBreakerFlapping',
      'ticket',
      '0s',
      `${openings} / ${breakers} >= ${limits.flappingOpenings}`,
      `{{ $labels.instance }}: its breaker opened {{ $value | humanize }} times in ${flapping}: Redis answers probes and fails under load.`,
    ),
    alert(
      'RateLimiterLatencySLOBurn',
      'page',
      '0s',
      burning('page', limits.burnPage),
      burnSummary('page', limits.burnPage),
    ),
    alert(
      'RateLimiterLatencySLOBurn',
      'ticket',
      '0s',
      burning('ticket', limits.burnTicket),
      burnSummary('ticket', limits.burnTicket),
    ),
    alert(
      'RateLimiterStoreErrors',
      'ticket',
      later,
      `sum by (job, reason) (rate(rate_limit_store_errors_total[${rate}]) and on (job, instance) max_over_time(instance:rate_limit_breaker_closed:ratio[${soon}]) == 1) > ${limits.storeErrorsPerSecond}`,
      '{{ $labels.job }}: {{ $value | humanize }} calls to Redis per second fail for the reason {{ $labels.reason }}, and no breaker stays open.',
    ),
    alert(
      'RateLimiterFallbackKeysNearCap',
      'ticket',
      soon,
      `rate_limit_fallback_keys > ${limits.fallbackKeys}`,
      '{{ $labels.instance }}: {{ $value | humanize }} fallback buckets; at FALLBACK_MAX_KEYS further keys share overflow buckets.',
    ),
    alert(
      'RateLimiterInstanceDisagrees',
      'ticket',
      later,
      disagreeing('instance:rate_limit_breaker_closed:ratio'),
      '{{ $labels.instance }}: {{ $value | humanizePercentage }} of its breakers are closed, more are of most others: its own way to Redis is broken.',
    ),
    ...reloaded('Policies', 'the policies file'),
    ...reloaded('Rules', 'the directory of rules'),
    alert(
      'RateLimiterAbsent',
      'page',
      missing,
      `absent(up{job="${limiterJob}"} == 1)`,
      `No instance of ${limiterJob} can be scraped.`,
    ),
  ];
}

/** 1 − 0.99 in the digits that people write. */
const budget = (1 - objective.ratio).toFixed(2);

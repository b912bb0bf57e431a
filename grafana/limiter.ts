// The limiter in operation: first whether it keeps its promise, then why not.

import { objective, thresholds } from '../prometheus/rules.ts';
import { dashboard } from './page.ts';
import { chosen, lines, mechanismColours, promiseSeconds, type States, stat, timeline } from './parts.ts';

export const breakerStates: States = { 0: ['closed', 'green'], 1: ['half-open', 'orange'], 2: ['open', 'red'] };

/** 0 closed, 1 half-open, 2 open: the worst, where an instance has a breaker for every worker and Redis master. */
export const breakerState =
  `clamp_max(2 * (rate_limit_breaker_state{${chosen}, state="open"} > bool 0)` +
  ` + ignoring (state) (rate_limit_breaker_state{${chosen}, state="half-open"} > bool 0), 2)`;

const rate = (series: string, labels = '') => `rate(${series}{${chosen}${labels}}[$__rate_interval])`;
const quantile = (q: number, histogram: string) =>
  `histogram_quantile(${q}, sum by (le) (${rate(`${histogram}_bucket`)}))`;

export const limiter = dashboard({
  uid: 'failopen-limiter',
  title: 'Limiter',
  description: 'Does the rate limiter keep its promise, and who decides? The incident that users do not see.',
  rows: [
    {
      title: 'Verdict',
      panels: [
        stat({
          title: 'Answered under 9 ms',
          description: 'Share of decisions under 9 ms. The objective is 99 %.',
          unit: 'percentunit',
          limit: objective.ratio,
          lowIsBad: true,
          queries: [
            [
              `sum(${rate('rate_limit_latency_seconds_bucket', `, le="${objective.le}"`)}) / sum(${rate('rate_limit_latency_seconds_count')})`,
              'under 9 ms',
            ],
          ],
        }),
        stat({
          title: 'Failing open',
          description: 'Share of decisions without Redis: limits are per instance then, or as policies say.',
          unit: 'percentunit',
          limit: thresholds.failOpenRatio,
          queries: [['max(job:rate_limit_fail_open:ratio_rate{job=~"$job"})', 'without Redis']],
        }),
        stat({
          title: 'Breakers not closed',
          description: 'Breakers behind which Redis is not asked now: an instance has one for every worker and master.',
          unit: 'none',
          limit: 1,
          queries: [[`sum(rate_limit_breaker_state{${chosen}, state!="closed"})`, 'not closed']],
        }),
        stat({
          title: 'Alerts firing',
          description: 'Alerts of this limiter that fire now, of any severity.',
          unit: 'none',
          limit: 1,
          // The one on absence has no job.
          queries: [
            ['count(ALERTS{alertname=~"RateLimiter.+", alertstate="firing", job=~"$job|"}) or vector(0)', 'firing'],
          ],
        }),
      ],
    },
    {
      title: 'Requests',
      panels: [
        lines({
          title: 'Decisions by mechanism',
          description: 'Who decided. In an incident the fallback takes over and the sum stays the same.',
          unit: 'reqps',
          stacked: true,
          colours: mechanismColours,
          queries: [[`sum by (mechanism) (${rate('rate_limit_requests_total')})`, '{{mechanism}}']],
        }),
        lines({
          title: 'Allowed and refused',
          description:
            'What was decided, by whom. More refusals than usual mean a fallback that is stricter than Redis.',
          unit: 'reqps',
          stacked: true,
          colours: {
            'allowed by redis': 'blue',
            'blocked by redis': 'light-blue',
            'allowed by fallback': 'orange',
            'blocked by fallback': 'light-orange',
          },
          queries: [
            [`sum by (mechanism, status) (${rate('rate_limit_requests_total')})`, '{{status}} by {{mechanism}}'],
          ],
        }),
        lines({
          title: 'Time to decide',
          description:
            'From the arrival of a request to its decision. The promise is a p99 under 9 ms, the dashed line.',
          unit: 's',
          limit: promiseSeconds,
          queries: [
            [quantile(0.5, 'rate_limit_latency_seconds'), 'p50'],
            [quantile(0.99, 'rate_limit_latency_seconds'), 'p99'],
          ],
        }),
        lines({
          title: 'Refused share',
          description: 'Share of decisions that refused.',
          unit: 'percentunit',
          max: 1,
          queries: [['job:rate_limit_refused:ratio_rate{job=~"$job"}', '{{job}}']],
        }),
      ],
    },
    {
      title: 'Redis and the breaker',
      panels: [
        timeline(
          {
            title: 'Breaker',
            description:
              'State of each instance’s breaker, of several the worst. While it is open nobody waits for Redis.',
            queries: [[breakerState, '{{instance}}']],
          },
          breakerStates,
        ),
        lines({
          title: 'Breaker moves',
          description:
            'Changes of state per second. Open to half-open and back, once a second, is a probe that failed.',
          unit: 'ops',
          many: true,
          queries: [[`sum by (from, to) (${rate('rate_limit_breaker_transitions_total')})`, '{{from}} → {{to}}']],
        }),
        lines({
          title: 'Time of Redis',
          description: 'Calls that Redis answered. Nothing to see while the breaker is open: there are no calls.',
          unit: 's',
          queries: [
            [quantile(0.5, 'rate_limit_store_latency_seconds'), 'p50'],
            [quantile(0.99, 'rate_limit_store_latency_seconds'), 'p99'],
          ],
        }),
        lines({
          title: 'Failed calls to Redis',
          description: 'By reason. A few at the beginning of an incident, then the breaker is open.',
          unit: 'ops',
          many: true,
          queries: [[`sum by (reason) (${rate('rate_limit_store_errors_total')})`, '{{reason}}']],
        }),
      ],
    },
    {
      title: 'The process',
      panels: [
        lines({
          title: 'Fallback buckets',
          description: 'In memory, by instance. The dashed line is 80 % of the default FALLBACK_MAX_KEYS.',
          unit: 'short',
          width: 8,
          limit: thresholds.fallbackKeys,
          queries: [[`rate_limit_fallback_keys{${chosen}}`, '{{instance}}']],
        }),
        lines({
          title: 'Event loop lag',
          description: 'p99 of how late the loop was since the last scrape. Over 9 ms nothing can be answered in time.',
          unit: 's',
          width: 8,
          limit: promiseSeconds,
          queries: [[`nodejs_eventloop_lag_p99_seconds{${chosen}}`, '{{instance}}']],
        }),
        lines({
          title: 'CPU',
          description: 'Of one core, by instance. One event loop: 100 % is full.',
          unit: 'percentunit',
          width: 8,
          limit: 0.9,
          queries: [[`sum by (instance) (${rate('process_cpu_seconds_total')})`, '{{instance}}']],
        }),
        lines({
          title: 'Garbage collection',
          description: 'Share of time, by kind. A major collection is the usual pause.',
          unit: 'percentunit',
          width: 8,
          queries: [[`sum by (kind) (${rate('nodejs_gc_duration_seconds_sum')})`, '{{kind}}']],
        }),
        lines({
          title: 'Memory',
          description: 'Resident, and the heap in use.',
          unit: 'bytes',
          width: 8,
          queries: [
            [`process_resident_memory_bytes{${chosen}}`, '{{instance}} resident'],
            [`nodejs_heap_size_used_bytes{${chosen}}`, '{{instance}} heap'],
          ],
        }),
        lines({
          title: 'Open files',
          description: 'Sockets are files; share of what the process may open.',
          unit: 'percentunit',
          width: 8,
          limit: 0.8,
          queries: [[`process_open_fds{${chosen}} / process_max_fds{${chosen}}`, '{{instance}}']],
        }),
      ],
    },
  ],
});

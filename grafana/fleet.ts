// The instances side by side: who disagrees with the others?

import { disagreeing } from '../prometheus/rules.ts';
import { breakerState, breakerStates } from './limiter.ts';
import { dashboard } from './page.ts';
import { chosen, lines, promiseSeconds, stat, timeline } from './parts.ts';

const rate = (series: string) => `rate(${series}{${chosen}}[$__rate_interval])`;
const closed = 'instance:rate_limit_breaker_closed:ratio';
/** Of those that are chosen; the others of their job have a say too. */
const minority = disagreeing(`${closed}{${chosen}}`, `${closed}{job=~"$job"}`);

export const fleet = dashboard({
  uid: 'failopen-fleet',
  title: 'Fleet',
  description:
    'The instances of the limiter side by side. An instance that differs from the others has a fault of its own.',
  rows: [
    {
      title: 'Who disagrees',
      panels: [
        stat({
          title: 'Instances scraped',
          description: 'Instances that answered the last scrape.',
          unit: 'none',
          limit: 1,
          lowIsBad: true,
          queries: [[`sum(up{${chosen}} and on (job, instance) rate_limit_fallback_keys{${chosen}})`, 'scraped']],
        }),
        stat({
          title: 'In the minority',
          description: 'Instances of which fewer breakers are closed, as a share, than of most others of their job.',
          unit: 'none',
          limit: 1,
          queries: [[`count(${minority}) or vector(0)`, 'disagree']],
        }),
        timeline(
          {
            title: 'Breaker',
            description: 'State of each instance’s breaker, of several the worst.',
            queries: [[breakerState, '{{instance}}']],
          },
          breakerStates,
        ),
      ],
    },
    {
      title: 'Side by side',
      panels: [
        lines({
          title: 'Decisions',
          description: 'By instance. Unequal shares are the load balancer’s.',
          unit: 'reqps',
          queries: [[`sum by (instance) (${rate('rate_limit_requests_total')})`, '{{instance}}']],
        }),
        lines({
          title: 'Failing open',
          description: 'Share of each instance’s decisions that are made without Redis.',
          unit: 'percentunit',
          max: 1,
          queries: [[`instance:rate_limit_fail_open:ratio_rate{${chosen}}`, '{{instance}}']],
        }),
        lines({
          title: 'Time to decide, p99',
          description: 'By instance. The promise is 9 ms, the dashed line.',
          unit: 's',
          limit: promiseSeconds,
          queries: [
            [
              `histogram_quantile(0.99, sum by (instance, le) (${rate('rate_limit_latency_seconds_bucket')}))`,
              '{{instance}}',
            ],
          ],
        }),
        lines({
          title: 'Failed calls to Redis',
          description: 'By instance.',
          unit: 'ops',
          queries: [[`sum by (instance) (${rate('rate_limit_store_errors_total')})`, '{{instance}}']],
        }),
        lines({
          title: 'Event loop lag, mean',
          description: 'By instance. One that lags shares its machine with somebody.',
          unit: 's',
          queries: [[`nodejs_eventloop_lag_mean_seconds{${chosen}}`, '{{instance}}']],
        }),
        lines({
          title: 'Up for',
          description: 'By instance: fallback buckets and breaker are as young as the process.',
          unit: 's',
          queries: [[`time() - process_start_time_seconds{${chosen}}`, '{{instance}}']],
        }),
      ],
    },
  ],
});

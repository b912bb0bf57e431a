// One run of the lab: what it did, what clients saw of it on both arms, and the verdict.

import { dashboard } from './page.ts';
import { chosenRun, lines, mechanismColours, promiseSeconds, table, timeline } from './parts.ts';

const client = (arm: 'faulted' | 'control') => {
  const buckets = `sum by (le) (rate(chaos_request_latency_seconds_bucket{${chosenRun}, arm="${arm}"}[$__rate_interval]))`;
  return [
    [`histogram_quantile(0.5, ${buckets})`, 'p50'],
    [`histogram_quantile(0.99, ${buckets})`, 'p99'],
    [`histogram_quantile(0.999, ${buckets})`, 'p99.9'],
  ] as const;
};

export const chaosRun = dashboard({
  uid: 'failopen-chaos-run',
  title: 'Chaos run',
  description: 'A run of the lab as its clients saw it: the faulted arm against the control arm, and the verdict.',
  rows: [
    {
      title: 'What happened',
      panels: [
        timeline(
          {
            title: 'Phase',
            description: 'The phase of the run.',
            queries: [[`sum by (phase) (chaos_phase{${chosenRun}})`, '{{phase}}']],
          },
          { 0: ['', 'transparent'], 1: ['now', 'blue'] },
        ),
        timeline(
          {
            title: 'Fault',
            description: 'The links that the fault is on.',
            queries: [[`max by (fault, link) (chaos_fault_active{${chosenRun}})`, '{{fault}} on {{link}}']],
          },
          { 0: ['healthy', 'green'], 1: ['broken', 'red'] },
        ),
      ],
    },
    {
      title: 'What clients saw',
      panels: [
        lines({
          title: 'Latency, faulted arm',
          description:
            'From the instant a request was scheduled to its answer. The promise is a p99 under 9 ms, the dashed line.',
          unit: 's',
          limit: promiseSeconds,
          queries: client('faulted'),
        }),
        lines({
          title: 'Latency, control arm',
          description:
            'The same arrivals, at an identical instance that is never faulted: what is here too is the machine’s noise.',
          unit: 's',
          limit: promiseSeconds,
          queries: client('control'),
        }),
        lines({
          title: 'Answers by mechanism',
          description: 'Who decided, as told by the answers of the faulted arm.',
          unit: 'reqps',
          stacked: true,
          colours: mechanismColours,
          queries: [
            [
              `sum by (mechanism) (rate(chaos_answers_total{${chosenRun}, arm="faulted"}[$__rate_interval]))`,
              '{{mechanism}}',
            ],
          ],
        }),
        lines({
          title: 'Answers by status',
          description: 'HTTP status on the faulted arm. 0 is no answer at all: there must be none, and no 5xx.',
          unit: 'reqps',
          stacked: true,
          queries: [
            [
              `sum by (status) (rate(chaos_answers_total{${chosenRun}, arm="faulted"}[$__rate_interval]))`,
              '{{status}}',
            ],
          ],
        }),
      ],
    },
    {
      title: 'What was let through',
      panels: [
        lines({
          title: 'Most popular key: admitted, by mechanism',
          description:
            'Since the beginning of the run, over all faulted instances. Must stay under the bound beside it.',
          unit: 'short',
          stacked: true,
          colours: mechanismColours,
          queries: [[`sum by (mechanism) (chaos_hot_key_admitted_total{${chosenRun}})`, '{{mechanism}}']],
        }),
        lines({
          title: 'Most popular key: admitted, and the bound',
          description:
            '(B + r·S) + B·losses + Σ (β + ρ·D): what Redis and the fallbacks may have admitted until now, at most.',
          unit: 'short',
          colours: { admitted: 'blue', bound: 'red' },
          queries: [
            [`sum(chaos_hot_key_admitted_total{${chosenRun}})`, 'admitted'],
            [`sum(chaos_hot_key_bound{${chosenRun}})`, 'bound'],
          ],
        }),
      ],
    },
    {
      title: 'Verdict',
      panels: [
        table(
          {
            title: 'Check verdicts',
            description: 'Once the run is judged. The figures are in its journal.json.',
            unit: 'none',
            width: 24,
            colours: { pass: 'green', unknown: 'orange', fail: 'red' },
            queries: [[`chaos_check_verdict{${chosenRun}} == 1`, '{{check}} {{phase}}']],
          },
          ['Time', 'Value', '__name__', 'instance', 'job'],
        ),
      ],
    },
  ],
});

// How often the latency check is right and wrong: runs drawn from recorded latencies, in which one arm is slower by a
// known time in `onset` and `fault`.

import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Verdict } from '../../chaos/checks/check.ts';
import { latency } from '../../chaos/checks/latency.ts';
import { ascending, quantile } from '../../chaos/checks/quantile.ts';
import type { AnswerEvent, History } from '../../chaos/history.ts';
import { controlName } from '../../chaos/scenario.ts';
import { historyWith, usualBounds, usualInstances } from './history-builder.ts';
import { answer } from './history-events.ts';
import { type Arms, drawnFrom, recordedArms, type TimedLatency } from './recorded-latencies.ts';

export const runsOfEach = 200;

/** Milliseconds of p99 over the limit; undefined where nothing is wrong. */
export const harmsMs = [undefined, 0, 1, 2, 4] as const;
export type HarmMs = (typeof harmsMs)[number];

const phases = [
  { name: 'baseline', ms: 1000, rate: 0 },
  { name: 'onset', ms: 1000, rate: 0 },
  { name: 'fault', ms: 3000, rate: 0 },
] as const;
const [baseline] = phases;
const lastMs = phases.reduce((sum, { ms }) => sum + ms, 0);

/** How many passed, were unknown and failed. */
export type Counts = readonly [pass: number, unknown: number, fail: number];
const verdicts = { pass: 0, unknown: 1, fail: 2 } as const satisfies Record<Verdict, number>;

/** Of each harm in turn. */
export interface Rates {
  readonly onset: readonly Counts[];
  readonly fault: readonly Counts[];
}

export interface Machine {
  readonly name: string;
  readonly recorded: Arms;
  /** As measured. */
  readonly rates: Rates;
}

export const machines: readonly Machine[] = [
  {
    name: 'quiet, twice as quick',
    recorded: recordedArms('quiet', 0.5),
    rates: {
      onset: [
        [167, 33, 0],
        [25, 175, 0],
        [0, 165, 35],
        [0, 22, 178],
        [0, 22, 178],
      ],
      fault: [
        [199, 1, 0],
        [47, 153, 0],
        [0, 20, 180],
        [0, 1, 199],
        [0, 1, 199],
      ],
    },
  },
  {
    name: 'quiet',
    recorded: recordedArms('quiet'),
    rates: {
      onset: [
        [127, 73, 0],
        [25, 175, 0],
        [2, 198, 0],
        [0, 200, 0],
        [0, 200, 0],
      ],
      fault: [
        [140, 60, 0],
        [47, 153, 0],
        [2, 198, 0],
        [0, 200, 0],
        [0, 200, 0],
      ],
    },
  },
  {
    name: 'noisy',
    recorded: recordedArms('noisy'),
    rates: {
      onset: [
        [11, 189, 0],
        [11, 189, 0],
        [7, 193, 0],
        [5, 195, 0],
        [0, 200, 0],
      ],
      fault: [
        [5, 195, 0],
        [5, 195, 0],
        [2, 198, 0],
        [0, 200, 0],
        [0, 200, 0],
      ],
    },
  },
];

export function p99Of(arm: readonly TimedLatency[]): number {
  return quantile(ascending(arm.map(({ latencyMs }) => latencyMs)), 0.99);
}

/** Of `runsOfEach` runs on that machine, the same each time. */
export function ratesOn({ recorded }: Machine): Rates {
  const random = xoroshiro128plus(1);
  const own = p99Of(recorded.faulted);
  const rates = { onset: harmsMs.map(nothingYet), fault: harmsMs.map(nothingYet) };
  for (let run = 0; run < runsOfEach; run++) {
    const answers = answersOf(drawnFrom(recorded, lastMs, random));
    harmsMs.forEach((harmMs, i) => {
      // Where noise alone is over the limit, the harm is over the noise.
      const laterMs = harmMs === undefined ? 0 : Math.max(0, usualBounds.p99Ms - own) + harmMs;
      for (const { phase, verdict } of latency.judge(runOf(answers, laterMs))) {
        const counts = phase === 'onset' || phase === 'fault' ? rates[phase][i] : undefined;
        if (counts && verdict !== 'not applicable') counts[verdicts[verdict]]++;
      }
    });
  }
  return rates;
}

function nothingYet(): [number, number, number] {
  return [0, 0, 0];
}

function answersOf({ faulted, control }: Arms): AnswerEvent[] {
  const names = usualInstances.filter((it) => !it.control).map(({ name }) => name);
  return [
    ...faulted.map(({ atMs, latencyMs }, i) =>
      answer(atMs, { instance: names[i % names.length] as string, latencyMs }),
    ),
    ...control.map(({ atMs, latencyMs }) => answer(atMs, { instance: controlName, latencyMs })),
  ];
}

/** Every answer of the faulted arm is later by so much, once the baseline is over. */
function runOf(answers: readonly AnswerEvent[], laterMs: number): History {
  const isHarmed = ({ instance, scheduledMs }: AnswerEvent) => instance !== controlName && scheduledMs >= baseline.ms;
  const harmed = answers.map((it) => (isHarmed(it) ? { ...it, receivedMs: it.receivedMs + laterMs } : it));
  return historyWith(harmed, { phases, fault: null });
}

// What may happen to a sound run and to its record without anything being wrong with the limiter.

import { type AnswerEvent, type History, isControl } from '../../chaos/history.ts';
import { type Otherwise, type ShapeName, soundRun } from './run-shapes.ts';

export interface Variation {
  readonly name: string;
  readonly run: (shape: ShapeName, seed: number) => History;
  /** The one check that rightly fails. */
  readonly fails?: string;
}

const otherwise = (how: (seed: number) => Otherwise) => (shape: ShapeName, seed: number) =>
  soundRun(shape, seed, how(seed));
const changed = (change: (history: History, seed: number) => Partial<History>) => (shape: ShapeName, seed: number) => {
  const history = soundRun(shape, seed);
  return { ...history, ...change(history, seed) };
};
const answers = (change: (answer: AnswerEvent, i: number, history: History) => AnswerEvent) =>
  changed((history) => ({ answers: history.answers.map((it, i) => change(it, i, history)) }));

/** From 0 to 1, the same for the same number. */
const noise = (i: number) => ((i * 7919) % 1009) / 1009;

/** One of its answers while the breaker was open, and what the client of a lost one records. */
const lost = { status: 0, source: null, remaining: null, error: 'socket hang up' } as const;

export const variations: readonly Variation[] = [
  { name: 'as it was', run: soundRun },
  {
    name: 'three stalls of an instance',
    run: otherwise((seed) => ({
      stalls: [900, 1900, 9700].map((atMs, i) => ({ instance: 'limiter-2', atMs: atMs + 37 * seed, ms: 8 + 2 * i })),
    })),
  },
  {
    name: 'a link that hangs for 30 ms',
    run: otherwise((seed) => {
      const fromMs = 1000 + 61 * seed;
      return { hangs: { instances: ['limiter-1'], fromMs, toMs: fromMs + 30 } };
    }),
  },
  {
    name: 'stalls of the control',
    run: otherwise((seed) => ({
      stalls: [700, 5000, 9000].map((atMs) => ({ instance: 'limiter-control', atMs: atMs + 41 * seed, ms: 60 })),
    })),
  },
  {
    name: 'a longer recovery, and a stall in it',
    run: otherwise((seed) => ({
      endMs: 17_000,
      stalls: [{ instance: 'limiter-1', atMs: 13_000 + 41 * seed, ms: 12 }],
    })),
  },
  {
    name: 'clocks of the instances 50 ms ahead',
    run: changed(({ breaker }) => ({
      breaker: breaker.map((it) => ({ ...it, atMs: it.to === 'gone' ? it.atMs : it.atMs + 50 })),
    })),
  },
  {
    name: 'answers that are up to 3 ms later',
    run: answers((it, i) => ({ ...it, receivedMs: it.receivedMs + 3 * noise(i) ** 4 })),
  },
  { name: 'answers in another order', run: changed(({ answers }) => ({ answers: answers.toReversed() })) },
  {
    name: 'a lost answer of the fallback, which took a token',
    run: changed((history) => {
      const gone = history.answers.find(
        (it) => it.scheduledMs > 3600 && !isControl(history, it.instance) && it.status === 200,
      );
      return { answers: history.answers.map((it) => (it === gone ? { ...it, ...lost } : it)) };
    }),
    fails: 'availability',
  },
  {
    name: 'a request that no arm recorded',
    run: changed((history, seed) => {
      const gone = history.answers.filter((it) => isControl(history, it.instance))[300 + seed]?.scheduledMs;
      return { answers: history.answers.filter((it) => it.scheduledMs !== gone) };
    }),
  },
  {
    name: 'a line told twice',
    run: changed((history, seed) => ({ answers: [...history.answers, ...history.answers.slice(seed, seed + 1)] })),
  },
  {
    name: 'an answer dated before its request',
    run: answers((it, i) => (i === 500 ? { ...it, receivedMs: it.sentMs - 0.001 } : it)),
  },
  { name: 'a cluster without its placement', run: changed(() => ({ placement: undefined })) },
];

// Answers that are changed after the event.

import { type AnswerEvent, type History, isControl, type PhaseEvent } from '../../chaos/history.ts';
import type { Mutation } from './mutation.ts';
import { at, soundRun } from './run-shapes.ts';

type Change = (answer: AnswerEvent) => Partial<AnswerEvent>;
type Pick = (answer: AnswerEvent) => boolean;

/** `count` of the answers of the faulted instances that are picked, spread evenly over them. */
export function changed(history: History, pick: Pick, count: number, change: Change): History {
  const picked = history.answers.filter((it) => !isControl(history, it.instance) && pick(it));
  const step = picked.length / Math.min(count, picked.length);
  const those = new Set(
    Array.from({ length: Math.min(count, picked.length) }, (_, i) => picked[Math.floor((i + 0.5) * step)]),
  );
  return { ...history, answers: history.answers.map((it) => (those.has(it) ? { ...it, ...change(it) } : it)) };
}

/** A share of them, at least one. */
function share(history: History, pick: Pick, percent: number, change: Change): History {
  const of = history.answers.filter((it) => !isControl(history, it.instance) && pick(it)).length;
  return changed(history, pick, Math.max(1, Math.round((of * percent) / 100)), change);
}

export const within =
  (fromMs: number, toMs: number): Pick =>
  ({ scheduledMs }) =>
    scheduledMs >= fromMs && scheduledMs < toMs;

const phases: Readonly<Record<Exclude<PhaseEvent['phase'], 'end'>, Pick>> = {
  baseline: within(0, at.injectMs),
  onset: within(at.injectMs, at.onsetEndMs),
  fault: within(at.onsetEndMs, at.healMs),
  heal: within(at.healMs, at.recoveredMs),
  recovered: within(at.recoveredMs, at.endMs),
};
const phaseNames = Object.keys(phases) as (keyof typeof phases)[];
const all = 1_000_000;
const buckets = ['admission', 'fleet', 'needless-refusal', 'remaining', 'ghost-takes', 'breaker'];

/** Of the first request for its key, whose bucket is full. */
function firstOfItsKey(history: History): Pick {
  const seen = new Set<string>();
  const firsts = new Set(
    history.answers.filter((it) => {
      if (isControl(history, it.instance) || seen.has(it.key)) return false;
      seen.add(it.key);
      return it.scheduledMs > 100;
    }),
  );
  return (answer) => firsts.has(answer);
}

const lost: Change = () => ({ status: 0, source: null, remaining: null, error: 'socket hang up' });

export const answerMutations: readonly Mutation[] = [
  {
    kind: '{} requests refused with a full bucket',
    sizes: [1],
    smallest: 1,
    run: (seed, size) => {
      const history = soundRun('stall', seed);
      return changed(history, firstOfItsKey(history), size, () => ({ status: 429, remaining: 0 }));
    },
    ...{ check: 'needless-refusal', verdict: 'fail', also: ['remaining', 'ghost-takes'] },
  },
  {
    kind: '{} first requests for a key refused, and nobody says who decided',
    sizes: [1],
    smallest: 1,
    run: (seed, size) => {
      const { run, ...history } = soundRun('stall', seed);
      const told = { ...history, run: { ...run, gives: [] } };
      return changed(told, firstOfItsKey(told), size, () => ({ status: 429 }));
    },
    ...{ check: 'needless-refusal', verdict: 'fail' },
  },
  ...phaseNames.flatMap((phase): Mutation[] => [
    {
      kind: `{} lost answers in \`${phase}\``,
      sizes: [1],
      smallest: 1,
      run: (seed, size) => changed(soundRun('partition', seed), phases[phase], size, lost),
      ...{ check: 'availability', verdict: 'fail' },
    },
    {
      kind: `{} answers 404 in \`${phase}\``,
      sizes: [1],
      smallest: 1,
      run: (seed, size) =>
        changed(soundRun('latency of 100 ms', seed), phases[phase], size, () => ({
          status: 404,
          source: null,
          remaining: null,
        })),
      ...{ check: 'availability', verdict: 'fail' },
    },
    {
      kind: `{} answers in \`${phase}\` that nobody decided`,
      sizes: [1],
      smallest: 1,
      run: (seed, size) => changed(soundRun('redis-kill', seed), phases[phase], size, () => ({ source: null })),
      ...{ check: 'availability', verdict: 'fail' },
    },
    {
      kind: `{} ms more in \`${phase}\``,
      sizes: [5, 6, 8, 10, 20],
      smallest: phase === 'onset' || phase === 'fault' ? 10 : 8,
      run: (seed, size) =>
        changed(soundRun('partition', seed), phases[phase], all, ({ receivedMs }) => ({
          receivedMs: receivedMs + size,
        })),
      ...{ check: 'latency', verdict: 'fail', also: phase === 'onset' ? ['trip'] : [] },
    },
  ]),
  {
    kind: '{} ms more from the heal on, of one instance',
    sizes: [1, 2, 3, 4, 6],
    smallest: 3,
    run: (seed, size) =>
      changed(
        soundRun('partition', seed, { endMs: 17_000 }),
        ({ instance, scheduledMs }) => instance === 'limiter-2' && scheduledMs >= at.healMs,
        all,
        ({ receivedMs }) => ({ receivedMs: receivedMs + size }),
      ),
    ...{ check: 'back-to-normal', verdict: 'fail' },
  },
  {
    kind: 'one token more reported as remaining in {} % of the answers',
    sizes: [0.1, 1, 10],
    smallest: 1,
    run: (seed, size) => {
      const more: Change = ({ remaining }) => ({ remaining: (remaining ?? 0) + 1 });
      return share(
        soundRun('partition', seed),
        ({ remaining, status }) => remaining === 0 && status === 429,
        size,
        more,
      );
    },
    ...{ check: 'remaining', verdict: 'fail' },
  },
  {
    kind: 'one token fewer reported as remaining in {} answers of Redis',
    sizes: [1, 3, 10],
    smallest: 3,
    run: (seed, size) =>
      changed(
        soundRun('partition', seed),
        ({ remaining, status, source }) => source === 'shared' && status === 200 && (remaining ?? 0) > 0,
        size,
        ({ remaining }) => ({ remaining: (remaining ?? 0) - 1 }),
      ),
    ...{ check: 'ghost-takes', verdict: 'fail', also: ['remaining'] },
  },
  ...([null, -1] as const).flatMap((remaining): Mutation[] => [
    {
      kind: `\`remaining\` ${remaining === null ? 'missing' : 'negative'} in {} % of the answers`,
      sizes: [0.1, 100],
      smallest: 0.1,
      run: (seed, size) =>
        share(
          soundRun('partition', seed),
          () => true,
          size,
          () => ({ remaining }),
        ),
      ...{ check: 'remaining', verdict: 'fail' },
    },
    {
      kind: `\`remaining\` ${remaining === null ? 'missing' : 'negative'} in {} answers of the fallback`,
      sizes: [1],
      smallest: 1,
      run: (seed, size) =>
        changed(
          soundRun('flapping', seed),
          ({ source }) => source === 'local',
          size,
          () => ({ remaining }),
        ),
      ...{ check: 'remaining', verdict: 'fail' },
    },
  ]),
  {
    kind: '{} % of the baseline from the fallback, now and then',
    sizes: [1, 2, 3, 5, 10, 20, 49],
    smallest: 2,
    run: (seed, size) => share(soundRun('partition', seed), phases.baseline, size, () => ({ source: 'local' })),
    ...{ check: 'fails-open', verdict: 'fail', also: buckets },
  },
  {
    kind: '{} % of `onset` from Redis after every breaker had to be open',
    sizes: [0.5, 1, 2, 5, 100],
    smallest: 2,
    run: (seed, size) =>
      share(soundRun('partition', seed), within(at.injectMs + 100, at.onsetEndMs), size, () => ({
        source: 'shared',
      })),
    ...{ check: 'fails-open', verdict: 'fail', also: buckets },
  },
  {
    kind: '{} % of `fault` from Redis',
    sizes: [0.5, 1, 2, 5],
    smallest: 2,
    run: (seed, size) => share(soundRun('stall', seed), phases.fault, size, () => ({ source: 'shared' })),
    ...{ check: 'fails-open', verdict: 'fail', also: buckets },
  },
  {
    kind: 'every source swapped in {} phase, the baseline',
    sizes: [1],
    smallest: 1,
    run: (seed) =>
      changed(soundRun('partition', seed), phases.baseline, all, ({ source }) => ({
        source: source === 'shared' ? 'local' : 'shared',
      })),
    ...{ check: 'fails-open', verdict: 'fail', also: buckets },
  },
];

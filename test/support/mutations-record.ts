// Records of sound runs that are not whole: what the limiter did is not known, so nothing fails.

import { type History, isControl, type PhaseEvent } from '../../chaos/history.ts';
import type { Mutation } from './mutation.ts';
import { at, soundRun } from './run-shapes.ts';

const unknown = { check: 'history', verdict: 'unknown' } as const;

const without = (history: History, isGone: (answer: History['answers'][number]) => boolean): History => ({
  ...history,
  answers: history.answers.filter((answer) => !isGone(answer)),
});

function withoutPhase(history: History, name: PhaseEvent['phase']): History {
  const phases = history.phases.filter((it) => it.name !== name);
  return { ...history, phases: phases.map((it, i) => ({ ...it, endMs: phases[i + 1]?.startMs ?? it.endMs })) };
}

export const recordMutations: readonly Mutation[] = [
  {
    kind: 'a record without the last {} s',
    sizes: [0.1, 1, 5],
    smallest: 0.1,
    run: (seed, size) =>
      without(soundRun('partition', seed), ({ scheduledMs }) => scheduledMs > at.endMs - size * 1000),
    ...unknown,
  },
  {
    kind: 'a record of the first {} % of the baseline',
    sizes: [99, 30],
    smallest: 99,
    run: (seed, size) =>
      without(
        soundRun('stall', seed),
        ({ scheduledMs }) => scheduledMs < at.injectMs && scheduledMs > (at.injectMs * size) / 100,
      ),
    ...unknown,
  },
  {
    kind: '{} requests missing from both arms',
    sizes: [1],
    smallest: 1,
    run: (seed, size) => {
      const history = soundRun('partition', seed);
      const gone = new Set(
        history.answers
          .filter((it) => isControl(history, it.instance))
          .slice(100, 100 + size)
          .map((it) => it.scheduledMs),
      );
      return without(history, ({ scheduledMs }) => gone.has(scheduledMs));
    },
    ...unknown,
  },
  {
    kind: '{} answers told twice',
    sizes: [1],
    smallest: 1,
    run: (seed, size) => {
      const history = soundRun('partition', seed);
      return { ...history, answers: [...history.answers, ...history.answers.slice(0, size)] };
    },
    ...unknown,
  },
  {
    kind: '{} moves told twice',
    sizes: [1],
    smallest: 1,
    run: (seed, size) => {
      const history = soundRun('partition', seed);
      const breaker = [...history.breaker, ...history.breaker.slice(0, size)].sort((a, b) => a.atMs - b.atMs);
      return { ...history, breaker };
    },
    ...unknown,
  },
  {
    kind: '{} answers received before they were sent',
    sizes: [1],
    smallest: 1,
    run: (seed, size) => {
      const history = soundRun('partition', seed);
      const early = (it: History['answers'][number]) => ({ ...it, receivedMs: it.sentMs - 0.01 });
      return { ...history, answers: history.answers.map((it, i) => (i < size ? early(it) : it)) };
    },
    ...unknown,
  },
  ...(['baseline', 'onset', 'heal'] as const).map(
    (name): Mutation => ({
      kind: `{} lines missing, with which \`${name}\` begins`,
      sizes: [1],
      smallest: 1,
      run: (seed) => withoutPhase(soundRun('partition', seed), name),
      ...unknown,
    }),
  ),
  {
    kind: '{} faults put on, and none planned',
    sizes: [1],
    smallest: 1,
    run: (seed) => {
      const history = soundRun('partition', seed);
      return { ...history, run: { ...history.run, schedule: [] } };
    },
    ...unknown,
  },
  ...(['inject', 'heal'] as const).map(
    (action): Mutation => ({
      kind: `{} lines missing, which tell of ${action === 'inject' ? 'an injection' : 'a heal'}`,
      sizes: [1],
      smallest: 1,
      run: (seed) => {
        const history = soundRun('partition', seed);
        const [gone] = history.faults.filter((it) => it.action === action);
        return { ...history, faults: history.faults.filter((it) => it !== gone) };
      },
      ...unknown,
    }),
  ),
  {
    kind: '{} placements missing of a cluster',
    sizes: [1],
    smallest: 1,
    run: (seed) => ({ ...soundRun('cluster-master-kill', seed), placement: undefined }),
    ...unknown,
  },
];

// Memory is bounded: whatever the load, and whatever is broken, an instance has no more of it in the end than in its baseline
// and what the target allows. A limiter that keeps something of each key, or of each call that failed, grows on.
//
// What is let go in the end was needed for a while, and is no leak. A runtime may also keep what it does not use, so one that
// has let nothing go is not told from one that could.

import { type History, isControl, type MemoryEvent } from '../history.ts';
import { type Check, type CheckResult, notApplicable, type Verdict } from './check.ts';

const name = 'memory';
/** The end of a run, of which the least counts. */
const endMs = 2000;
const bytesPerMiB = 1024 * 1024;

export const memory: Check = {
  name,
  property: 'no instance ends with more memory than in its baseline and what the target allows beyond it',
  needs: [],
  judge(history: History): CheckResult[] {
    const { memoryGrowthMiB } = history.run.bounds;
    if (memoryGrowthMiB === undefined) return [notApplicable(name, 'the target promises no bound of its memory')];
    const looks = history.memory.filter(({ instance }) => !isControl(history, instance));
    const grown = [...Map.groupBy(looks, ({ instance }) => instance).values()].flatMap((its) => grownIn(history, its));
    const [worst] = grown.toSorted((a, b) => b.endMiB - a.endMiB || b.mostMiB - a.mostMiB);
    if (!worst) return [notApplicable(name, 'nobody saw the memory of an instance in its baseline and in the end')];
    const state = (verdict: Verdict, detail: string): CheckResult[] => [
      { name, phase: 'all', verdict, measured: worst.endMiB, limit: memoryGrowthMiB, unit: 'MiB more', detail },
    ];
    const { instance, before, mostMiB } = worst;
    const had = `${instance} had ${before.toFixed(0)} MiB at most in its baseline`;
    if (worst.endMiB > memoryGrowthMiB) return state('fail', `${had}`);
    return state('pass', `${had}, and ${mostMiB.toFixed(1)} MiB more at the most afterwards`);
  },
};

interface Grown {
  readonly instance: string;
  /** Of the baseline, the most, in MiB. */
  readonly before: number;
  /** Beyond it, in MiB: at any time, and in the end. */
  readonly mostMiB: number;
  readonly endMiB: number;
}

function grownIn({ phases }: History, its: readonly MemoryEvent[]): Grown[] {
  const baseline = phases.find((phase) => phase.name === 'baseline');
  const overMs = phases.at(-1)?.endMs ?? 0;
  if (!baseline) return [];
  const within = (fromMs: number, toMs: number) =>
    its.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).map(({ residentBytes }) => residentBytes / bytesPerMiB);
  const before = Math.max(...within(baseline.startMs, baseline.endMs));
  const after = within(baseline.endMs, overMs);
  const end = within(Math.max(baseline.endMs, overMs - endMs), overMs);
  const [instance] = its.map((it) => it.instance);
  if (instance === undefined || before < 0 || end.length === 0) return [];
  return [{ instance, before, mostMiB: Math.max(...after) - before, endMiB: Math.min(...end) - before }];
}

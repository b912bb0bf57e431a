// Processes that have nothing to do but to be busy take the processor from one instance: it is kept to one processor, and
// they run there as well, each with the same right to it. The other instance, the control and the load have the others.

import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { BusyProcess, Environment, Restartable } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { keepTo, lastOf, processorsOf, ticksOf } from '../../host/processors.ts';
import { putOnPath, takeOffPath } from '../../host/real-time.ts';
import { defineFault, type Target } from '../fault.ts';
import { answering, processOf } from './instance.ts';

interface Hogs {
  readonly count: number;
}

/** Of a look: some clock ticks of 10 ms. */
const lookMs = 300;

/** What is on the process of an instance. */
interface Crowd extends AsyncDisposable {
  readonly hogs: readonly BusyProcess[];
  /** The process that was kept to their processor. */
  readonly pid: number;
}

const inPlace = new WeakMap<Restartable, Crowd>();

export const cpuHog = defineFault<Hogs>({
  kind: 'cpu-hog',
  family: 'process',
  params: z.strictObject({ count: z.int().min(2).max(64) }),
  examples: [{ count: 8 }],
  needs: ['limiter-process', 'busy-processes'],
  reaches: ['one-instance'],
  effect: () => 'starved',
  state: 'kept',
  endsBy: 'heal',
  async inject(environment, target, { count }) {
    const process = processOf(environment, target);
    await inPlace.get(process)?.[Symbol.asyncDispose]();
    inPlace.set(process, await crowdAt(environment, target, process, count));
  },
  async heal(environment, target) {
    const process = processOf(environment, target);
    const crowd = inPlace.get(process);
    if (!crowd) return;
    inPlace.delete(process);
    await crowd[Symbol.asyncDispose]();
    await answering(target);
  },
  async look(_environment, { instance }) {
    const crowd = instance?.process && inPlace.get(instance.process);
    if (!crowd) return { outcome: 'pong', ms: 0, reply: '' };
    const had = () => [crowd.hogs.reduce((sum, { pid }) => sum + ticksOf(pid), 0), ticksOf(crowd.pid)] as const;
    const [hogsBefore, itsBefore] = had();
    await delay(lookMs);
    const [hogsAfter, itsAfter] = had();
    const [hogs, its] = [hogsAfter - hogsBefore, itsAfter - itsBefore];
    const reply = `busy processes had ${hogs} ticks of its processor, it had ${its},`;
    return { outcome: hogs > its ? 'other' : 'pong', ms: lookMs, reply };
  },
  bites: ({ outcome }) => outcome === 'other',
  describe: ({ count }) => `One limiter shared a processor with ${count} busy processes`,
});

async function crowdAt(
  { driver, startBusy }: Environment,
  { name }: Target,
  { pid }: Restartable,
  count: number,
): Promise<Crowd> {
  if (!startBusy) throw new LabError(`The ${driver} driver cannot start busy processes beside ${name}`);
  const usual = processorsOf(pid);
  const processor = lastOf(usual);
  await using started = new AsyncDisposableStack();
  const hogs: BusyProcess[] = [];
  while (hogs.length < count) {
    const hog = await startBusy(processor);
    started.defer(() => hog.end());
    hogs.push(hog);
  }
  started.defer(() => keepTo(usual, pid));
  keepTo(String(processor), pid);
  started.defer(() => putOnPath(pid));
  await takeOffPath(pid);
  const whole = started.move();
  return { hogs, pid, [Symbol.asyncDispose]: () => whole.disposeAsync() };
}

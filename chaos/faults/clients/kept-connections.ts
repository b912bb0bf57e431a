// What the faults have in common that are a crowd of connections at an instance. Nothing is excused by it: whoever else asks
// the instance is answered as always.

import { z } from 'zod';
import { until } from '../../clock.ts';
import { LabError } from '../../errors.ts';
import { defineFault, type FaultDefinition, type FaultKind } from '../fault.ts';
import { Crowd } from './crowd.ts';

interface Kept {
  readonly count: number;
}

const countMax = 2000;
const openMsMax = 3000;

/** `path`: of the page that each connection asks for, and reads slowly; none asks for anything without it. */
export function defineKept(
  { kind, family, examples, describe }: Pick<FaultDefinition<Kept>, 'kind' | 'family' | 'examples' | 'describe'>,
  path?: string,
): FaultKind {
  const crowds = new WeakMap<object, Crowd>();
  return defineFault<Kept>({
    ...{ kind, family, examples, describe },
    params: z.strictObject({ count: z.int().min(1).max(countMax) }),
    needs: ['connections'],
    reaches: ['one-instance'],
    effect: () => 'none',
    state: 'kept',
    endsBy: 'heal',
    async inject(_environment, { name, instance }, { count }) {
      if (!instance) throw new LabError(`${name} is no instance: no connection leads to it`);
      crowds.get(instance)?.[Symbol.dispose]();
      const crowd = new Crowd(instance.url, count, path);
      crowds.set(instance, crowd);
      if (!(await until(openMsMax, 10, async () => crowd.stands || undefined)))
        throw new LabError(`${name} did not take ${count} connections within ${openMsMax / 1000} s`);
    },
    async heal(_environment, { instance }) {
      if (!instance) return;
      crowds.get(instance)?.[Symbol.dispose]();
      crowds.delete(instance);
    },
    look: async (_environment, { instance }) => {
      const stands = instance !== undefined && crowds.get(instance)?.stands === true;
      return { outcome: stands ? 'other' : 'pong', ms: 0, reply: stands ? 'the connections stand' : '' };
    },
    bites: ({ outcome }) => outcome === 'other',
  });
}

import { expect, it } from 'vitest';
import { sleep } from '../../../chaos/clock.ts';
import { queue } from '../../../chaos/run/queue.ts';

it('does one thing after another, in order, and tells each giver what became of its own', async () => {
  const inTurn = queue();
  const done: string[] = [];
  const work = (name: string, ms: number) => async () => {
    done.push(`${name} begins`);
    await sleep(ms);
    done.push(`${name} ends`);
    if (name === 'second') throw new Error(name);
    return name;
  };
  const all = [inTurn(work('first', 20)), inTurn(work('second', 10)), inTurn(work('third', 0))];
  expect(await Promise.allSettled(all)).toEqual([
    { status: 'fulfilled', value: 'first' },
    { status: 'rejected', reason: new Error('second') },
    { status: 'fulfilled', value: 'third' },
  ]);
  expect(done).toEqual(['first', 'second', 'third'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

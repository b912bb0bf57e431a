import { describe, expect, it } from 'vitest';
import { sharedAnswer } from '../../../service/doors/shared-answer.ts';

describe('a shared answer', () => {
  it('is made once for all who ask in one turn, and anew for who asks while it is made', async () => {
    let made = 0;
    const ask = sharedAnswer(async () => ++made);
    const first = [ask(), ask(), ask()];
    await new Promise(setImmediate);
    const next = ask();
    expect(await Promise.all(first)).toEqual([1, 1, 1]);
    expect(await next).toBe(2);
  });

  it('that fails is told to all who asked, and to nobody after them', async () => {
    let made = 0;
    const ask = sharedAnswer(async () => {
      if (++made === 1) throw new Error('no page');
      return made;
    });
    const outcomes = await Promise.allSettled([ask(), ask()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await ask()).toBe(2);
  });
});

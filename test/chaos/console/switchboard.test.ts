import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Switchboard } from '../../../chaos/console/switchboard.ts';

let done: string[];
let errors: unknown[];
const board = (
  heal = async (fault: string) => void done.push(`heal ${fault}`),
  inject = async (fault: string) => void done.push(`inject ${fault}`),
) =>
  new Switchboard(
    [
      {
        link: 'a',
        faults: ['partition', 'stall'],
        inject,
        heal,
      },
    ],
    () => {},
    (error) => errors.push(error),
  );

beforeEach(() => {
  done = [];
  errors = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a switch', () => {
  it('heals itself at its limit, and not before', async () => {
    const switches = board();
    await switches.set('a', 'partition', 1000);
    await vi.advanceTimersByTimeAsync(999);
    expect([done, switches.switches[0]?.on?.fault]).toEqual([['inject partition'], 'partition']);
    await vi.advanceTimersByTimeAsync(1);
    expect([done, switches.switches[0]?.on]).toEqual([['inject partition', 'heal partition'], null]);
  });

  it('has one fault at a time, and the limit of the last', async () => {
    const switches = board();
    await Promise.all([switches.set('a', 'partition', 1000), switches.set('a', 'stall', 5000)]);
    await vi.advanceTimersByTimeAsync(4999);
    expect(done).toEqual(['inject partition', 'heal partition', 'inject stall']);
  });

  it('counts as on for as long as it could not be healed', async () => {
    const broken = new Error('Toxiproxy did not answer');
    const switches = board(() => Promise.reject(broken));
    await switches.set('a', 'stall', 1000);
    await switches.close();
    expect([errors, switches.switches[0]?.on?.fault]).toEqual([[broken], 'stall']);
  });

  it('is not switched on any more once it was closed', async () => {
    const switches = board();
    const late = [switches.set('a', 'partition', 1000), switches.close(), switches.set('a', 'stall', 1000)];
    await Promise.all(late);
    expect([done, switches.switches[0]?.on]).toEqual([['inject partition', 'heal partition'], null]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('heals at its limit also what could not be put on as a whole', async () => {
    const broken = new Error('Toxiproxy did not answer');
    const switches = board(undefined, () => Promise.reject(broken));
    await switches.set('a', 'stall', 1000);
    expect([errors, switches.switches[0]?.on?.fault]).toEqual([[broken], 'stall']);
    await vi.advanceTimersByTimeAsync(1000);
    expect([done, switches.switches[0]?.on]).toEqual([['heal stall'], null]);
  });
});

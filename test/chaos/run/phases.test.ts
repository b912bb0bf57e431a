import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sleep } from '../../../chaos/clock.ts';
import { Phases } from '../../../chaos/run/phases.ts';

describe('the phases of a run', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Does each thing at its time, and tells when which phase began. */
  async function phasesAfter(
    ...acts: readonly (readonly [ms: number, act: 'injecting' | 'healing' | 'healed' | 'over'])[]
  ) {
    const begun: [number, string][] = [];
    const zeroMs = Date.now();
    const phases = new Phases((phase) => begun.push([Date.now() - zeroMs, phase]), sleep);
    for (const [ms, act] of acts) {
      await vi.advanceTimersByTimeAsync(ms - (Date.now() - zeroMs));
      phases[act]();
    }
    await vi.advanceTimersByTimeAsync(60_000);
    return begun;
  }

  it('are onset for a second, fault until the heal begins, and heal until two seconds after it ended', async () => {
    expect(await phasesAfter([5000, 'injecting'], [9000, 'healing'], [9300, 'healed'])).toEqual([
      [5000, 'onset'],
      [6000, 'fault'],
      [9000, 'heal'],
      [11_300, 'recovered'],
    ]);
  });

  it('do not begin any more when the run is over', async () => {
    const acts = [
      [5000, 'injecting'],
      [9000, 'healing'],
      [9300, 'healed'],
      [10_000, 'over'],
    ] as const;
    expect(await phasesAfter(...acts)).toEqual([
      [5000, 'onset'],
      [6000, 'fault'],
      [9000, 'heal'],
    ]);
  });

  it('begin anew with each injection', async () => {
    const acts = [
      [0, 'injecting'],
      [500, 'healing'],
      [500, 'healed'],
      [1500, 'injecting'],
      [4000, 'healing'],
      [4000, 'healed'],
    ] as const;
    expect(await phasesAfter(...acts)).toEqual([
      [0, 'onset'],
      [500, 'heal'],
      [1500, 'onset'],
      [2500, 'fault'],
      [4000, 'heal'],
      [6000, 'recovered'],
    ]);
  });

  it('are fault as long as one of several is in place', async () => {
    const acts = [
      [0, 'injecting'],
      [2000, 'injecting'],
      [4000, 'healing'],
      [4000, 'healed'],
      [6000, 'healing'],
      [6000, 'healed'],
    ] as const;
    expect(await phasesAfter(...acts)).toEqual([
      [0, 'onset'],
      [1000, 'fault'],
      [2000, 'onset'],
      [3000, 'fault'],
      [6000, 'heal'],
      [8000, 'recovered'],
    ]);
  });
});

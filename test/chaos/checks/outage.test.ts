import { describe, expect, it } from 'vitest';
import { isBreakerHit, isWithoutSuccessor, masterOf, reachOf } from '../../../chaos/checks/outage.ts';
import { failoverHistory, successor, victim } from '../../support/failover-history.ts';
import { buildHistory } from '../../support/history-builder.ts';

describe('the reach of a fault', () => {
  it('is every key where there is one Redis', () => {
    expect(['k0', 'any'].map(reachOf(buildHistory()))).toEqual([true, true]);
  });

  it('is what the killed master of a cluster held; of a key that nobody saw there is no telling', () => {
    expect(['k0', 'k1', 'k2', 'k3'].map(reachOf(failoverHistory()))).toEqual([true, false, false, undefined]);
  });

  it('is the breaker of that master, of every instance that tells which is which', () => {
    const told = [victim, 'a:2', undefined];
    expect(told.map((shard) => isBreakerHit(failoverHistory(), shard))).toEqual([true, false, true]);
    expect(told.map((shard) => isBreakerHit(buildHistory(), shard))).toEqual([true, true, true]);
  });

  it('ends with nobody in the place of the killed one only where somebody was to come', () => {
    const { failover: _failover, ...rest } = failoverHistory();
    expect([failoverHistory(), { ...rest, failover: undefined }, buildHistory()].map(isWithoutSuccessor)).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe('the master of a key', () => {
  it('changes with the failover, and is nobody while it is under way', () => {
    const master = masterOf(failoverHistory());
    expect([1000, 2499, 2500, 2599, 2600].map((ms) => master('k0', ms))).toEqual([
      victim,
      victim,
      undefined,
      undefined,
      successor,
    ]);
    expect(['k1', 'k3'].map((key) => master(key, 9000))).toEqual(['a:2', undefined]);
  });
});

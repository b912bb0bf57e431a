import { describe, expect, it } from 'vitest';
import { notApplicable } from '../../../chaos/checks/check.ts';
import { isolation } from '../../../chaos/checks/isolation.ts';
import { failoverHistory, keyOf } from '../../support/failover-history.ts';
import { buildHistory, type HistorySpec } from '../../support/history-builder.ts';

const judge = (changes: HistorySpec = {}) =>
  isolation.judge(failoverHistory(changes)).map(({ phase, verdict, measured }) => [phase, verdict, measured]);

describe('the isolation check', () => {
  it('passes when the loss of one master leaves the keys of the others with Redis, in every phase', () => {
    expect(isolation.judge(failoverHistory())[0]).toEqual({
      name: 'isolation',
      phase: 'onset',
      verdict: 'pass',
      measured: 100,
      limit: 99,
      unit: '%',
      detail: 'keys of the living masters answered by the store',
    });
    expect(judge().slice(1)).toEqual([
      ['fault', 'pass', 100],
      ['heal', 'pass', 100],
      ['recovered', 'pass', 100],
    ]);
  });

  it('fails when the fallback decides all keys as soon as one master is gone', () => {
    const phases = {
      onset: { key: keyOf, source: 'local' },
      fault: { key: keyOf, source: 'local' },
    } as const;
    expect(judge({ phases }).slice(0, 2)).toEqual([
      ['onset', 'fail', 0],
      ['fault', 'fail', 0],
    ]);
  });

  it('is unknown when the control is no better off', () => {
    const noisy = { key: keyOf, source: 'local', controlSource: 'local' } as const;
    expect(judge({ phases: { onset: noisy } })[0]).toEqual(['onset', 'unknown', 0]);
  });

  it('is unknown when nobody saw where the keys are', () => {
    expect(judge({ phases: { onset: { key: (i) => `elsewhere-${i}` } } })[0]).toEqual(['onset', 'unknown', null]);
  });

  it('is not applicable where the fault reaches every instance and key', () => {
    expect(isolation.judge(buildHistory())).toEqual([notApplicable('isolation', 'every instance and key is reached')]);
  });
});

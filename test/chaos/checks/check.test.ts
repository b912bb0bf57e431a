import { describe, expect, it } from 'vitest';
import { type Check, runChecks, type Verdict, worstOf } from '../../../chaos/checks/check.ts';
import { checks } from '../../../chaos/checks/index.ts';
import { failoverHistory } from '../../support/failover-history.ts';
import { buildHistory, historyWith } from '../../support/history-builder.ts';

describe('running the checks', () => {
  it('calls a check that breaks unknown, and goes on with the others', () => {
    const broken: Check = {
      name: 'broken',
      needs: [],
      property: 'never holds',
      judge: () => {
        throw new TypeError('x is undefined');
      },
    };
    const fine: Check = {
      name: 'fine',
      needs: [],
      property: 'always holds',
      judge: () => [{ name: 'fine', phase: 'all', verdict: 'pass', measured: 1, limit: 2, unit: 'ms', detail: 'well' }],
    };
    expect(runChecks([broken, fine], historyWith([]))).toEqual([
      {
        name: 'broken',
        phase: 'all',
        verdict: 'unknown',
        measured: null,
        limit: null,
        unit: '',
        detail: 'the check itself broke: x is undefined',
      },
      { name: 'fine', phase: 'all', verdict: 'pass', measured: 1, limit: 2, unit: 'ms', detail: 'well' },
    ]);
  });

  it('names every result after its check, with a property of one line', () => {
    for (const check of checks) {
      expect(new Set(check.judge(failoverHistory()).map(({ name }) => name))).toEqual(new Set([check.name]));
      expect(check.property).toMatch(/^\S.{10,}$/);
    }
  });

  it('leaves the history as it was', () => {
    const history = buildHistory();
    const before = JSON.stringify(history);
    runChecks(checks, history);
    expect(JSON.stringify(history)).toBe(before);
  });
});

describe('the worst verdict', () => {
  const cases: [Verdict[], Verdict][] = [
    [['pass', 'pass'], 'pass'],
    [['pass', 'unknown', 'pass'], 'unknown'],
    [['unknown', 'fail', 'pass'], 'fail'],
    [['fail', 'unknown'], 'fail'],
    [[], 'unknown'],
  ];
  it.each(cases)('of %j is %s', (verdicts, worst) => {
    expect(worstOf(verdicts)).toBe(worst);
  });
});

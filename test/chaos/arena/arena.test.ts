import { describe, expect, it } from 'vitest';
import { type Arena, type Entry, entryOf } from '../../../chaos/arena/arena.ts';
import { arenaMdOf } from '../../../chaos/arena/arena-md.ts';
import { arenaPageOf } from '../../../chaos/arena/arena-page.ts';
import { glance } from '../../../chaos/arena/rows.ts';
import { runChecks, worstOf } from '../../../chaos/checks/check.ts';
import { checks } from '../../../chaos/checks/index.ts';
import { buildHistory } from '../../support/history-builder.ts';
import { answer } from '../../support/history-events.ts';

type Spec = Parameters<typeof buildHistory>[0];

function entry(spec: Spec) {
  const history = buildHistory(spec);
  const results = runChecks(checks, history);
  const verdict = worstOf(results.map(({ verdict }) => verdict));
  return entryOf({ target: 'a-limiter', directory: 'a-run', history, checks: results, verdict });
}

describe('the entry of a run', () => {
  it('of a limiter that came through well has nothing lost and nothing in excess', () => {
    expect(entry({})).toMatchObject({ target: 'a-limiter', directory: 'a-run', lost: 0, excess: 0, refusedShare: 0 });
    expect(Object.keys(entry({}).p99Ms)).toEqual(['baseline', 'onset', 'fault', 'heal', 'recovered']);
  });

  it('tells the p99 of each phase, and the control’s beside it', () => {
    const { p99Ms, controlP99Ms } = entry({ phases: { fault: { latencyMs: 40, controlLatencyMs: 3 } } });
    expect([p99Ms.fault, controlP99Ms.fault]).toEqual([40, 3]);
  });

  it('calls a phase endless of which more than 1 % had no answer, and the limiter by it', () => {
    const endless = entry({ phases: { fault: { status: (i: number) => (i % 40 ? 200 : 0) } } });
    expect(endless.p99Ms).toMatchObject({ baseline: 1, fault: Number.POSITIVE_INFINITY });
    expect(glance(endless)).toBe('fail, ∞ ms');
  });

  it('counts what nobody decided, and names the check that decided the verdict', () => {
    const lost = answer(3000, { status: 0, source: null });
    expect(entry({ answers: [lost] })).toMatchObject({ lost: 1, verdict: 'fail', decisive: ['availability'] });
  });

  it('counts the tokens that one key was given beyond the bound', () => {
    const tooMany = Array.from({ length: 40 }, (_, i) => answer(500 + i, { key: 'one' }));
    expect(entry({ answers: tooMany }).excess).toBeGreaterThan(20);
  });

  it('tells the share that was refused while the fault lasted, of both arms', () => {
    const { refusedShare, controlRefusedShare } = entry({ phases: { fault: { status: 429 } } });
    expect(refusedShare).toBeGreaterThan(50);
    expect(controlRefusedShare).toBe(0);
    expect(entry({ phases: { baseline: { status: 429 } } }).refusedShare).toBe(0);
  });
});

describe('the tables', () => {
  const hostile = '<script>alert(1)</script>|x';
  const of = (entries: readonly Entry[]): Arena => ({
    startedAt: '2026-01-02T03:04:05.000Z',
    driver: 'native',
    seed: 7,
    rate: 1000,
    environment: { cpu: '2 × a CPU', node: 'v24.12.0' },
    targets: ['a-limiter', hostile],
    scenarios: ['partition'],
    entries,
  });
  const judged = { ...entry({}), scenario: 'partition' };
  const arena = of([judged, { target: hostile, scenario: 'partition', error: hostile }]);

  it.each([
    ['arena.md', arenaMdOf],
    ['arena.html', arenaPageOf],
  ])('%s shows every limiter, also one without a verdict, and no text of theirs as markup', (_, textOf) => {
    const text = textOf(arena);
    expect(text).toContain('a-limiter');
    expect(text).toContain('no verdict');
    expect(text).not.toContain('<script>alert');
    expect(text).toContain('2026-01-02, 2 × a CPU, node v24.12.0');
  });

  it('on the page each verdict leads to the report of its run', () => {
    expect(arenaPageOf(arena)).toContain('href="a-run/report.html"');
  });
});

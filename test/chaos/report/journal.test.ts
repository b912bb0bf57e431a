import { describe, expect, it } from 'vitest';
import { runChecks } from '../../../chaos/checks/check.ts';
import { checks } from '../../../chaos/checks/index.ts';
import type { History, SourceKind } from '../../../chaos/history.ts';
import { journalOf } from '../../../chaos/report/journal.ts';
import { buildHistory } from '../../support/history-builder.ts';
import { answer } from '../../support/history-events.ts';

const endedAt = '2026-11-24T04:00:30.500Z';
const journal = (history: History) => journalOf(history, runChecks(checks, history), endedAt);

describe('the journal', () => {
  it("has Chaos Toolkit's fields and ours", () => {
    expect(Object.keys(journal(buildHistory())).sort()).toEqual(
      [
        ...['experiment', 'status', 'start', 'end', 'duration', 'deviated', 'steady_states', 'run', 'rollbacks'],
        ...['scenario', 'seed', 'driver', 'verdict', 'checks', 'phases', 'breaker', 'environment'],
      ].sort(),
    );
  });

  it('tells when what was done to whom', () => {
    const { start, end, duration, run, rollbacks, status, deviated, steady_states } = journal(buildHistory());
    const activity = (name: string, from: string, to: string) => ({
      activity: { type: 'action', name },
      status: 'succeeded',
      start: `2026-11-24T04:00:0${from}Z`,
      end: `2026-11-24T04:00:0${to}Z`,
      duration: 0.001,
    });
    expect({ start, end, duration, run, rollbacks, status, deviated, steady_states }).toEqual({
      start: '2026-11-24T04:00:00.000Z',
      end: endedAt,
      duration: 30.5,
      run: [
        activity('inject partition on limiter-1', '1.000', '1.001'),
        activity('inject partition on limiter-2', '1.000', '1.001'),
      ],
      rollbacks: [
        activity('heal partition on limiter-1', '5.000', '5.001'),
        activity('heal partition on limiter-2', '5.000', '5.001'),
      ],
      status: 'completed',
      deviated: false,
      steady_states: {
        before: { steady_state_met: true },
        after: { steady_state_met: true },
        during: [],
      },
    });
  });

  it('tells what was run', () => {
    const { scenario, seed, driver, verdict, experiment, environment } = journal(buildHistory());
    expect({ scenario, seed, driver, verdict, experiment, environment }).toEqual({
      scenario: 'partition',
      seed: 42,
      driver: 'native',
      verdict: 'pass',
      experiment: {
        title: 'partition',
        description: 'All will be well.',
        configuration: buildHistory().run.bounds,
      },
      environment: {
        node: 'v24.21.0',
        redis: '7.0.15',
        toxiproxy: '2.12.0',
        prometheus: '2.42.0',
        cpu: '2',
        kernel: 'L',
      },
    });
  });

  it('gives the figures of each phase', () => {
    const onset = {
      rate: 100,
      latencyMs: (i: number) => (i === 7 ? 20 : 1.5),
      controlLatencyMs: 2,
      status: (i: number) => (i === 3 ? 0 : i < 10 ? 429 : 200),
      source: (i: number) => (i < 20 ? 'shared' : 'local') as SourceKind,
    };
    expect(journal(buildHistory({ phases: { onset } })).phases.onset).toEqual({
      startMs: 1000,
      endMs: 2000,
      requests: 100,
      answered: 99,
      status: { 200: 90, 429: 9 },
      errors: { other: 1 },
      mechanism: { redis: 19, fallback: 80 },
      latencyMs: { p50: 1.5, p99: 20, p999: Infinity, max: Infinity }, // null in JSON
      controlLatencyMs: { p50: 2, p99: 2, p999: 2, max: 2 },
    });
  });

  it('tells of a phase that came several times over all of its stretches', () => {
    const phases = [
      { name: 'baseline' as const, ms: 1000, rate: 100 },
      { name: 'onset' as const, ms: 1000, rate: 100 },
      { name: 'heal' as const, ms: 2000, rate: 100 },
      { name: 'onset' as const, ms: 1000, rate: 200, latencyMs: 50 },
      { name: 'heal' as const, ms: 2000, rate: 100 },
    ];
    const { onset } = journal(buildHistory({ phases, fault: null })).phases;
    expect(onset).toMatchObject({ startMs: 1000, endMs: 5000, requests: 300, latencyMs: { max: 50 } });
  });

  it('lists the phases in their order, and the moves of the breakers', () => {
    const moves = [
      { instance: 'limiter-1', atMs: 1016, from: 'closed', to: 'open' },
      { instance: 'limiter-2', atMs: 1016, from: 'closed', to: 'open' },
      { instance: 'limiter-1', atMs: 5003, from: 'open', to: 'half-open' },
    ];
    const { phases, breaker } = journal(buildHistory({ breaker: moves.map((move) => ({ type: 'breaker', ...move })) }));
    expect(Object.keys(phases)).toEqual(['baseline', 'onset', 'fault', 'heal', 'recovered']);
    expect(breaker).toEqual(moves);
  });

  it('has every field of every check', () => {
    for (const check of journal(buildHistory()).checks) {
      expect(Object.keys(check).sort()).toEqual(['detail', 'limit', 'measured', 'name', 'phase', 'unit', 'verdict']);
    }
  });

  it('deviates when a check fails', () => {
    const { verdict, deviated } = journal(buildHistory({ answers: [answer(10, { status: 503 })] }));
    expect({ verdict, deviated }).toEqual({ verdict: 'fail', deviated: true });
  });

  it('does not deviate when it cannot tell, and leaves the steady state open', () => {
    const slow = { latencyMs: 12, controlLatencyMs: 12 };
    const { verdict, deviated, steady_states } = journal(buildHistory({ phases: { baseline: slow } }));
    expect({ verdict, deviated, before: steady_states.before }).toEqual({
      verdict: 'unknown',
      deviated: false,
      before: { steady_state_met: null },
    });
  });

  it('is interrupted when the run was cut off', () => {
    expect(journal(buildHistory({ complete: false })).status).toBe('interrupted');
  });

  it('survives the way through JSON', () => {
    const original = journal(buildHistory());
    expect(JSON.parse(JSON.stringify(original))).toEqual(original);
  });
});

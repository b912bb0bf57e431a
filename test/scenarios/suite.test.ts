import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../chaos/checks/check.ts';
import { LabError, UsageError } from '../../chaos/errors.ts';
import type { Journal } from '../../chaos/report/journal.ts';
import { phaseNames } from '../../chaos/scenario.ts';
import { baseline } from '../../scenarios/baseline.ts';
import { latency } from '../../scenarios/latency.ts';
import { partition } from '../../scenarios/partition.ts';
import { type RanRow, runSuite } from '../../scenarios/suite.ts';
import { suiteTable } from '../../scenarios/suite-table.ts';

const latencies = { p50: 1, p99: 4.25, p999: 6, max: 7 };
const journal = (scenario: string, seed: number, verdict: Verdict): Journal => ({
  experiment: { title: scenario, description: '', configuration: {} },
  status: 'completed',
  start: '',
  end: '',
  duration: 30,
  deviated: verdict === 'fail',
  steady_states: { before: { steady_state_met: true }, after: { steady_state_met: true }, during: [] },
  run: [],
  rollbacks: [],
  scenario,
  seed,
  driver: 'native',
  verdict,
  checks: [{ name: 'latency', phase: 'fault', verdict, measured: 4.25, limit: 9, unit: 'ms p99', detail: '' }],
  phases: Object.fromEntries(
    phaseNames.map((name) => [
      name,
      {
        startMs: 0,
        endMs: 1,
        requests: 1,
        answered: 1,
        status: {},
        errors: {},
        mechanism: { redis: 1, fallback: 0 },
        latencyMs: latencies,
        controlLatencyMs: latencies,
      },
    ]),
  ),
  breaker: [],
  environment: {},
});

/** Runs that end with these verdicts, in order; `asked` tells what was run. */
function runs(...verdicts: Verdict[]) {
  const asked: string[] = [];
  const run = async ({ name }: { name: string }, { seed, rate }: Asked) => {
    asked.push(`${name} ${seed} ${rate}`);
    return journal(name, seed, verdicts.shift() ?? 'pass');
  };
  return { asked, run };
}
const never = () => undefined;
interface Asked {
  readonly seed: number;
  readonly rate: number;
}
const usual = { seed: 7, rate: 1000, isRateGiven: false };
const goesOn = new AbortController().signal;

describe('the suite', () => {
  it('runs every scenario in order, with the same seed', async () => {
    const { asked, run } = runs();
    const { verdict } = await runSuite([baseline, partition], usual, run, never, goesOn);
    expect({ asked, verdict }).toEqual({ asked: ['baseline 7 1000', 'partition 7 1000'], verdict: 'pass' });
  });

  it('tries an unknown again after all others, with the next seed, twice at most', async () => {
    const { asked, run } = runs('unknown', 'pass', 'unknown', 'pass', 'unknown', 'unknown');
    const { rows, verdict } = await runSuite([baseline, latency, partition], usual, run, never, goesOn);
    expect(asked).toEqual([
      'baseline 7 1000',
      'latency 7 1000',
      'partition 7 1000',
      'baseline 8 600',
      'partition 8 600',
      'partition 9 600',
    ]);
    expect(rows.map((row) => ('tries' in row ? [row.scenario, row.tries] : row.scenario))).toEqual([
      ['baseline', 2],
      ['latency', 1],
      ['partition', 3],
    ]);
    expect(verdict).toBe('unknown');
  });

  it('has as many requests again as were asked for', async () => {
    const { asked, run } = runs('unknown', 'pass');
    await runSuite([baseline], { ...usual, isRateGiven: true }, run, never, goesOn);
    expect(asked).toEqual(['baseline 7 1000', 'baseline 8 1000']);
  });

  it('never tries a failure again, and goes on after it', async () => {
    const { asked, run } = runs('fail');
    const { verdict } = await runSuite([baseline, partition], usual, run, never, goesOn);
    expect({ asked, verdict }).toEqual({ asked: ['baseline 7 1000', 'partition 7 1000'], verdict: 'fail' });
  });

  it.each([
    ['a first try', ['pass'] as const, 'ENDED suite: 1 of 1 passed, 0 skipped, 2 not run'],
    ['a second try', ['unknown', 'pass', 'pass'] as const, 'ENDED suite: 2 of 3 passed, 0 skipped, 0 not run'],
  ])('tells what was run before something ended it in %s', async (_what, verdicts, line) => {
    const { run, asked } = runs(...verdicts);
    const stopped = new AbortController();
    const fragile = (scenario: { name: string }, options: Asked) => {
      if (asked.length === verdicts.length) stopped.abort(new Error('interrupted'));
      stopped.signal.throwIfAborted();
      return run(scenario, options);
    };
    const outcome = await runSuite([baseline, latency, partition], usual, fragile, never, stopped.signal);
    expect(outcome.ended?.by).toEqual(new Error('interrupted'));
    expect(suiteTable(outcome).split('\n').at(-1)).toBe(line);
  });

  it('goes on where the lab itself broke, and tells that in place of a verdict', async () => {
    const fragile = async (scenario: { name: string }, options: Asked) => {
      if (scenario.name === 'latency') throw new LabError('Redis did not answer');
      return journal(scenario.name, options.seed, 'pass');
    };
    const outcome = await runSuite([baseline, latency, partition], usual, fragile, never, goesOn);
    const lines = suiteTable(outcome).split('\n');
    expect(lines[2]).toBe('  latency    the lab broke: Redis did not answer');
    expect(lines.at(-1)).toBe('BROKEN suite: 2 of 2 passed, 0 skipped, 1 broken by the lab itself');
  });

  it('ends where no other scenario can be run either', async () => {
    const refused = async () => {
      throw new UsageError('The command cannot be judged');
    };
    const { ended } = await runSuite([baseline, partition], usual, refused, never, goesOn);
    expect(ended).toEqual({ by: new UsageError('The command cannot be judged'), notRun: 2 });
  });

  it('is unknown when it ran nothing', async () => {
    const { asked, run } = runs();
    const { verdict } = await runSuite([baseline], usual, run, () => 'no reason', goesOn);
    expect({ asked, verdict }).toEqual({ asked: [], verdict: 'unknown' });
  });

  it('shows verdict, p99 of each phase and margin, marks what was tried again, and names what it left out', async () => {
    const { run } = runs('unknown', 'pass', 'pass');
    const refusal = ({ name }: { name: string }) => (name === 'latency' ? 'the driver cannot do it' : undefined);
    const { rows, ...outcome } = await runSuite([baseline, latency, partition], usual, run, refusal, goesOn);
    const timed = rows.map((row) => ('journal' in row ? { ...row, tookMs: 21_400 } : row));
    expect(suiteTable({ ...outcome, rows: timed }).split('\n')).toEqual([
      '  scenario   verdict baseline  onset  fault   heal recovered margin',
      '  baseline   pass        4.25   4.25   4.25   4.25      4.25   4.75',
      '    try 2, with 600 requests/s: unknown before',
      '  latency    skipped: the driver cannot do it',
      '  partition  pass        4.25   4.25   4.25   4.25      4.25   4.75',
      '  p99 of each phase in ms, from the scheduled send time',
      '  margin: ms left under the limit',
      '',
      'slowest: baseline 21 s, partition 21 s',
      'closest to a limit:',
      '  baseline latency (fault) 47 %',
      '  partition latency (fault) 47 %',
      '',
      'PASS suite: 2 of 2 passed, 1 skipped',
    ]);
  });

  it('tells a p99 that is infinite, and a margin that there is none', () => {
    const endless = { ...journal('partition', 1, 'fail') };
    const phases = { fault: { ...endless.phases.fault, latencyMs: { ...latencies, p99: Number.POSITIVE_INFINITY } } };
    const checks = endless.checks.map((check) => ({ ...check, measured: Number.POSITIVE_INFINITY }));
    const row = {
      scenario: 'partition',
      tookMs: 1,
      tries: 1,
      rate: 1000,
      journal: { ...endless, phases, checks } as Journal,
    };
    const text = suiteTable({ journals: [row.journal], rows: [row], verdict: 'fail' });
    expect(text).toMatch(/^ {2}partition +fail +– +– +∞ +– +– +-∞$/m);
    expect(text).toContain('  partition latency (fault) ∞ %');
  });

  it('names the three slowest, and the three that used most of a limit of time, each by its worst check', () => {
    const row = (scenario: string, tookMs: number, ...measured: number[]): RanRow => {
      const base = journal(scenario, 1, 'pass');
      const checks = measured.map((value) => ({ ...base.checks[0], measured: value }) as Journal['checks'][number]);
      return { scenario, tookMs, tries: 1, rate: 1000, journal: { ...base, checks } };
    };
    const tokens = {
      name: 'fleet',
      phase: 'all',
      verdict: 'pass',
      measured: 10,
      limit: 10,
      unit: 'admitted',
      detail: '',
    };
    const exact = row('exact', 500);
    const rows = [
      row('quick', 1000, 8.1, 4.5),
      row('beyond', 30_000, 9.9),
      row('long', 40_000, 0.9),
      row('middling', 20_000, 6.3),
      { ...exact, journal: { ...exact.journal, checks: [tokens as Journal['checks'][number]] } },
    ];
    const table = suiteTable({ rows, journals: [], verdict: 'pass' });
    expect(table).toContain('\nslowest: long 40 s, beyond 30 s, middling 20 s\n');
    expect(table).toContain(
      '\nclosest to a limit:\n  beyond latency (fault) 110 %\n  quick latency (fault) 90 %\n  middling latency (fault) 70 %\n',
    );
  });
});

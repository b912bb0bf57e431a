import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CheckResult, runChecks } from '../../../chaos/checks/check.ts';
import { checks } from '../../../chaos/checks/index.ts';
import { type AnswerEvent, type HistoryEvent, historyOf } from '../../../chaos/history.ts';
import { type Journal, journalOf } from '../../../chaos/report/journal.ts';
import { ProgressLine, reasonOf, table, verdictText } from '../../../chaos/report/terminal.ts';
import { buildHistory, eventsOf, type HistorySpec } from '../../support/history-builder.ts';
import { answer } from '../../support/history-events.ts';

const resultsOf = (spec: HistorySpec) => runChecks(checks, buildHistory(spec));
const journal = (spec: HistorySpec = {}) => journalOf(buildHistory(spec), resultsOf(spec), '2026-11-24T04:00:30.500Z');
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

describe('the table', () => {
  it('shows each phase and each check in a line of its own', () => {
    const cells = table(journal())
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/).join(' | '));
    expect(cells).toEqual([
      'partition | seed 42 | native driver',
      'All will be well.',
      '',
      'phase | requests | p50 | p99 | p99.9 | max control p99 | redis fallback',
      'baseline | 600 | 1 | 1 | 1 | 1 | 1 | 600 | 0',
      'onset | 600 | 1 | 1 | 1 | 1 | 1 | 0 | 600',
      'fault | 1800 | 1 | 1 | 1 | 1 | 1 | 0 | 1800',
      'heal | 1200 | 1 | 1 | 1 | 1 | 1 | 1200 | 0',
      'recovered | 1800 | 1 | 1 | 1 | 1 | 1 | 1800 | 0',
      'latency in ms, from the scheduled send time',
      '',
      'check | phase | measured | limit | unit | verdict',
      'fault-bit | fault | 2 | 2 | links | pass',
      'availability | all | 0 | 0 | requests | pass',
      ...['baseline', 'onset', 'fault', 'heal', 'recovered'].map(
        (phase) => `latency | ${phase} | 1 | 9 | ms p99 | pass`,
      ),
      'trip | onset | 15 | 65 | ms | pass',
      'breaker | all | 0 | 0 | moves | pass',
      ...['baseline', 'onset', 'fault', 'recovered'].map((phase) => `fails-open | ${phase} | 100 | 99 | % | pass`),
      'recovery | heal | 3.33 | 2210 | ms | pass',
      expect.stringMatching(/^admission \| all \| 0 \| 0 \| tokens too many/),
      'fleet | all | 1 | 5.00 | admitted | pass',
      expect.stringMatching(/^needless-refusal( \| | )all \| 0 \| 0 \| refusals \| pass$/),
      expect.stringMatching(/^remaining \| all \| 0 \| 0 \| tokens too many/),
      expect.stringMatching(/^ghost-takes \| all \| 0 \| 0 \| answers/),
      '',
      'not applicable: isolation (every instance and key is reached), back-to-normal',
      '(the run has too few answers before the fault, or from 5 s after it), memory',
      '(the target promises no bound of its memory), retry-after (no answer says when',
      'to ask again)',
      '',
    ]);
  });

  it('says what may help where all was slow, also what nothing was done to', () => {
    const advice = 'The control, to which nothing is done, had a p99 of up to';
    const slow = journal({ phases: { baseline: { latencyMs: 20, controlLatencyMs: 20 } } });
    expect([slow.verdict, table(slow).replaceAll(/\s+/g, ' ')]).toEqual([
      'unknown',
      expect.stringContaining(`${advice} 20.0 ms: the machine is busy, or the limiter is slow without any fault.`),
    ]);
    const late = journal({ phases: { baseline: { lagMs: 5 } } }); // by the generator alone
    expect([late.verdict, table(late)]).toEqual(['unknown', expect.not.stringContaining(advice)]);
    expect(table(journal())).not.toContain(advice);
  });

  it('tells a p99 that is infinite as such, of the control too', () => {
    const isLost = (event: HistoryEvent) => event.type === 'answer' && event.scheduledMs % 50 < 2;
    const lost = (event: HistoryEvent): HistoryEvent =>
      isLost(event)
        ? ({ ...event, status: 0, source: null, remaining: null, error: 'ECONNREFUSED' } as AnswerEvent)
        : event;
    const history = historyOf(eventsOf().map(lost));
    const text = table(journalOf(history, runChecks(checks, history), '2026-11-24T04:00:30.500Z'));
    expect(text).toMatch(/^ {2}baseline +600 +1 +∞ +∞ +∞ +∞ /m);
    expect(text).not.toMatch(/Infinity|NaN/);
  });

  it('tells the errors of a phase by kind, where there are any', () => {
    const reset = { status: 0, source: null, error: 'read ECONNRESET' };
    const failed = [answer(1500, { status: 503 }), answer(1501, reset), answer(1502, reset), answer(6500, reset)];
    expect(table(journal({ answers: failed }))).toContain(
      '\n  errors in onset: 2 reset, 1 5xx\n  errors in heal: 1 reset\n\n',
    );
  });

  it('gives the reason of every check that did not pass', () => {
    expect(table(journal({ answers: [answer(1500, { status: 503 })] }))).toContain(
      '\n  fail: availability (all): first: status 503 from limiter-1 at 1.500 s\n',
    );
  });

  it('leaves a space between a unit and its verdict', () => {
    for (const line of table(journal({ fault: null })).split('\n')) expect(line).not.toMatch(/\S(pass|fail|unknown)$/);
  });

  it('never exceeds 80 columns, whatever the figures', () => {
    const base = journal();
    const figure = fc.option(fc.double({ min: 0, max: 30_000, noNaN: true }), { nil: null });
    const count = fc.integer({ min: 0, max: 600_000 });
    const words = fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 60 }).map((all) => all.join(' '));
    const anything = fc.record({ figure, count, words, seed: fc.nat({ max: 0x7fffffff }) });
    fc.assert(
      fc.property(anything, ({ figure, count, words, seed }) => {
        const times = { p50: figure, p99: figure, p999: figure, max: figure };
        const phases = Object.fromEntries(
          Object.entries(base.phases).map(([name, phase]) => {
            const mechanism = { redis: count, fallback: count };
            return [name, { ...phase, requests: count, mechanism, latencyMs: times, controlLatencyMs: times }];
          }),
        );
        const changed = base.checks.map(
          (check): CheckResult => ({ ...check, verdict: 'unknown', measured: figure, limit: figure, detail: words }),
        );
        const experiment = { ...base.experiment, description: words.replaceAll('\n', ' ') };
        const text = table({ ...base, seed, phases, checks: changed, experiment });
        // What a detail brings along in line ends is its own; each of its words is at most 40 long.
        expect(widest(text)).toBeLessThanOrEqual(80);
      }),
      { numRuns: 200, seed: 42 },
    );
  });

  it('breaks even a word that is longer than a line', () => {
    const base = journal();
    const detail = `cannot open /${'x'.repeat(200)}`;
    const broken = base.checks.map((check): CheckResult => ({ ...check, verdict: 'unknown', detail }));
    expect(widest(table({ ...base, checks: broken }))).toBeLessThanOrEqual(80);
  });
});

describe('the reason', () => {
  const reason = (spec: HistorySpec) => reasonOf(journal(spec), resultsOf(spec));

  it('of a pass is the worst p99', () => {
    expect(reason({ phases: { onset: { latencyMs: 3.25 } } })).toBe(
      'every request answered, worst p99 of any phase 3.3 ms',
    );
  });

  it('of a pass tells nothing of an instance that its fault made slow, and no more than is so of what got lost', () => {
    const base = journal();
    const phases = Object.fromEntries(
      Object.entries(base.phases).map(([name, phase]) => [
        name,
        { ...phase, answered: phase.requests - 1, latencyMs: { ...phase.latencyMs, p99: 321 } },
      ]),
    );
    expect(reasonOf({ ...base, phases: phases as typeof base.phases }, base.checks)).toMatch(
      /^every request answered that could be, worst p99 of any phase \d\.\d ms$/,
    );
  });

  it('of a fail is each check that failed', () => {
    expect(reason({ phases: { onset: { latencyMs: 12 } }, answers: [answer(10, { status: 503 })] })).toBe(
      'availability (all), latency (onset)',
    );
  });

  it('of an unknown is each check that is', () => {
    expect(reason({ probes: [] })).toBe('fault-bit (fault), trip (onset), fails-open (onset), fails-open (fault)');
  });
});

describe('the verdict', () => {
  it('has no colour where the output is not a terminal', () => {
    const stream = new PassThrough() as unknown as NodeJS.WriteStream;
    expect((['pass', 'fail', 'unknown'] as const).map((verdict) => verdictText(verdict, stream))).toEqual([
      'PASS',
      'FAIL',
      'UNKNOWN',
    ]);
  });
});

describe('the progress', () => {
  const show = (terminal: { isTTY?: true; columns?: number }) => {
    const stream = Object.assign(new PassThrough(), terminal) as unknown as NodeJS.WriteStream & PassThrough;
    const line = new ProgressLine('partition', stream);
    const breakers = new Map([
      ['limiter-1', 'open'],
      ['limiter-2', 'half-open'],
      ['limiter-control', 'closed'],
    ]);
    line.show({ phase: 'starting', remainingMs: 0, answers: [], breakers: new Map() });
    line.show({ phase: 'fault', remainingMs: 12_345, answers: [answer(0, { source: 'local' })], breakers });
    line.clear();
    return String(stream.read());
  };

  it('is a line at a time where the output is not a terminal', () => {
    expect(show({})).toBe(
      'partition: starting redis, toxiproxy, prometheus and the limiters\n' +
        'partition: fault     12 s left  p99 1.0 ms  fallback 100 %  breakers: 1 open, 2 half-open, control closed\n',
    );
  });

  it('names the instances in order, and says nothing that nobody told', () => {
    const stream = new PassThrough();
    const line = new ProgressLine('partition', stream as unknown as NodeJS.WriteStream);
    const progress = { phase: 'fault', remainingMs: 1000, answers: [answer(0, { source: null })] } as const;
    line.show({
      ...progress,
      breakers: new Map([
        ['limiter-control', 'closed'],
        ['limiter-2', 'open'],
        ['limiter-1', 'closed'],
      ]),
    });
    line.show({ ...progress, breakers: new Map() });
    expect(String(stream.read())).toBe(
      'partition: fault      1 s left  p99 1.0 ms  breakers: 1 closed, 2 open, control closed\n' +
        'partition: fault      1 s left  p99 1.0 ms\n',
    );
  });

  it('is one line, rewritten, and no wider than the terminal', () => {
    const lines = show({ isTTY: true, columns: 60 }).split('\r\u001b[2K').slice(1);
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line.length).toBeLessThan(60);
    expect(lines[2]).toBe('');
  });
});

describe('the journal of every verdict', () => {
  it('fits the table', () => {
    const specs: HistorySpec[] = [{}, { probes: [] }, { fault: null }, { phases: { onset: { status: 0 } } }];
    const wide = specs.map((spec): Journal => journal(spec)).filter((each) => widest(table(each)) > 80);
    expect(wide).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { type CheckResult, runChecks } from '../../../chaos/checks/check.ts';
import { checks } from '../../../chaos/checks/index.ts';
import { type FaultEvent, type HistoryEvent, historyOf } from '../../../chaos/history.ts';
import { duration, figure, fixed, listed, unbroken } from '../../../chaos/report/figures.ts';
import { journalOf } from '../../../chaos/report/journal.ts';
import { junitOf } from '../../../chaos/report/junit.ts';
import { limitText, marginOf, marginText } from '../../../chaos/report/margin.ts';
import { type Content, embedded, escaped, markup } from '../../../chaos/report/markup.ts';
import { comparisonOf } from '../../../chaos/report/page/comparison.ts';
import { reportOf } from '../../../chaos/report/page/report.ts';
import type { Run } from '../../../chaos/report/run.ts';
import { commandOf, storyOf, verdictSentence } from '../../../chaos/report/story.ts';
import { summaryMdOf } from '../../../chaos/report/summary-md.ts';
import { failoverSpec } from '../../support/failover-history.ts';
import { buildHistory, eventsOf, type HistorySpec } from '../../support/history-builder.ts';
import { answer, fault, move } from '../../support/history-events.ts';
import { specs } from '../../support/runs.ts';

const endedAt = '2026-11-24T04:00:10.000Z';
const runOf = (spec: HistorySpec = {}): Run => {
  const history = buildHistory(spec);
  return { history, checks: runChecks(checks, history), endedAt, gaps: [], described: true };
};
const journal = (run: Run) => journalOf(run.history, run.checks, endedAt);
const story = (spec: HistorySpec) => storyOf(runOf(spec), journal(runOf(spec)));
const sentence = (spec: HistorySpec) => verdictSentence(journal(runOf(spec)));

describe('markup', () => {
  it('escapes what is inserted, and joins lists', () => {
    const items: Content[] = ['<a>', markup`<b>&amp;</b>`, 7, null, undefined, false];
    expect(markup`<p title="${`"'`}">${items}</p>`.text).toBe('<p title="&quot;&#39;">&lt;a&gt;<b>&amp;</b>7</p>');
  });

  it('lets no character through that a document may not hold', () => {
    expect(escaped('a\u0000b\u001bc\ud800d\uffff\u0085\n😀')).toBe('a\ufffdb\ufffdc\ufffdd\ufffd\ufffd\n😀');
  });

  it('embeds JSON that cannot end its script', () => {
    expect(embedded(['</script>']).text).toBe('["\\u003c/script>"]');
  });
});

describe('the report of a run', () => {
  it('that was cut off before its fault does not tell of a heal', () => {
    const history = historyOf(eventsOf().slice(0, 1));
    const run = { history, checks: runChecks(checks, history), endedAt, gaps: [], described: true };
    expect(storyOf(run, journal(run))).toMatchObject({
      broken: 'Nothing yet: the run ended before its first fault.',
      happened: [],
    });
    const page = reportOf(run, journal(run));
    expect(page).toContain('Missing: this run tells of no answer.');
    expect(page).not.toContain('Redis gave every answer.');
  });

  it('tells the p99 of a phase as its check does, also where floating point lies between two roundings', () => {
    const run = runOf({ phases: { fault: { latencyMs: 2.415 } } });
    const told = run.checks.find(({ name, phase }) => name === 'latency' && phase === 'fault')?.measured;
    expect([told, journal(run).phases.fault?.latencyMs.p99]).toEqual([2.415, 2.415]);
  });

  it('in which nobody was answered, the control neither, has no figure that is none', () => {
    const unanswered = (event: HistoryEvent): HistoryEvent =>
      event.type === 'answer' ? { ...event, status: 0, source: null, remaining: null, error: 'ECONNREFUSED' } : event;
    const history = historyOf(eventsOf().map(unanswered));
    const run = { history, checks: runChecks(checks, history), endedAt, gaps: [], described: true };
    const page = reportOf(run, journal(run));
    expect(page).toContain('the control arm stalled for ∞ ms at the same time');
    expect(page).not.toMatch(/Infinity|NaN/);
    expect(summaryMdOf(run, journal(run))).not.toMatch(/Infinity|NaN/);
  });
});

describe('figures', () => {
  it('have three or four digits', () => {
    expect([null, Number.NaN, Infinity, -Infinity, 0, 3, 1234, 3.456, 34.56, 3456.78, -2.5].map(figure)).toEqual([
      '–',
      '–',
      '∞',
      '−∞',
      '0',
      '3',
      '1,234',
      '3.46',
      '34.6',
      '3,457',
      '−2.50',
    ]);
  });

  it('have as many digits as a column wants, and a sign where there is no end', () => {
    expect([3.456, Infinity, -Infinity].map((value) => fixed(value, 1))).toEqual(['3.5', '∞', '-∞']);
  });

  it('stand in a list with an and', () => {
    expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listed)).toEqual(['', 'a', 'a and b', 'a, b and c']);
  });

  it('choose the unit of a duration, and stay with it at the end of a line', () => {
    expect([3.78, 1500].map(duration)).toEqual(['3.78 ms', '1.50 s']);
    expect(unbroken('p99 5 ms of ≤ 9 ms (56 %), 12 something')).toBe(
      'p99\u00a05\u00a0ms of ≤\u00a09\u00a0ms (56\u00a0%), 12 something',
    );
  });
});

describe('the margin', () => {
  it('is never negative in a check that passed, nor positive in one that failed by its limit', () => {
    for (const spec of [specs.pass, { fault: null }, { fault: { kind: 'redis-kill' } } as const, failoverSpec()]) {
      const passed = runOf(spec).checks.filter(({ verdict }) => verdict === 'pass');
      expect(passed.filter((check) => (marginOf(check) ?? 0) < 0)).toEqual([]);
    }
    const failed = runOf(specs.fail).checks.filter(({ verdict }) => verdict === 'fail');
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.filter((check) => (marginOf(check) ?? 0) > 0)).toEqual([]);
  });

  it('is told with its part of the limit, and the limit with its direction', () => {
    const check = { phase: 'all', verdict: 'pass', unit: '', detail: '' } as const;
    const latency = { ...check, name: 'latency', measured: 3, limit: 9 };
    const share = { ...check, name: 'fails-open', measured: 100, limit: 99 };
    const nothing = { ...check, name: 'trip', measured: null, limit: null };
    expect([latency, share, nothing].map((c) => [limitText(c), marginText(c)])).toEqual([
      ['≤ 9', '6 (67 %)'],
      ['≥ 99', '1 (1 %)'],
      ['–', '–'],
    ]);
  });
});

describe('the story', () => {
  it('of a pass tells what was broken, what happened, and that the promise held', () => {
    expect(story({})).toEqual({
      broken: 'Every packet between the limiters and Redis was dropped, from 1.0 s to 5.0 s.',
      happened: [
        'Every breaker was open 16 ms after the injection began.',
        'While it lasted the fallback decided 100 % of 2,400 requests.',
        'After the heal Redis decided again within 3.33 ms.',
      ],
      promise: 'Yes. 6,000 of 6,000 requests answered; worst p99 1 ms (baseline) of 9 ms.',
    });
  });

  it('takes a breaker that noise had opened for open, and not for one that opens when its next probe fails', () => {
    const run = runOf();
    const told = (names: readonly string[]) => {
      const open = names.flatMap((name) => [
        move(name, 900, 'closed', 'open'),
        move(name, 1900, 'open', 'half-open'),
        move(name, 1905, 'half-open', 'open'),
      ]);
      const others = run.history.breaker.filter(({ instance }) => !names.includes(instance));
      const history = { ...run.history, breaker: [...open, ...others].toSorted((a, b) => a.atMs - b.atMs) };
      return storyOf({ ...run, history }, journal(run)).happened[0];
    };
    expect(told(['limiter-2'])).toBe('Every breaker was open 16 ms after the injection began.');
    expect(told(['limiter-1', 'limiter-2'])).toBe('Every breaker was open when the injection began.');
  });

  it('of a fail says no', () => {
    expect(story(specs.fail).promise).toBe('No. 5,991 of 6,000 requests answered; worst p99 1,465 ms (onset) of 9 ms.');
    expect(sentence(specs.fail)).toBe(
      'Availability failed: 24 requests, limit 0 (first: status 503 from limiter-1 at 1.000 s). So did 1 other check.',
    );
  });

  it('of an unknown does not pretend', () => {
    expect(story(specs.unknown).promise).toMatch(/^Cannot be told\. /);
    expect(sentence(specs.unknown)).toBe(
      'Cannot tell about fault-bit in fault (not seen on limiter-1, limiter-2), nor about 4 other checks.',
    );
  });

  it('of an unknown says once that it cannot tell', () => {
    const told = sentence({ phases: { baseline: { latencyMs: (i: number) => (i % 80 === 0 ? 12 : 1) } } });
    expect(told).toMatch(/^Cannot tell about latency in baseline \(95 % bounds /);
  });

  it('of a limiter that was told what to answer without its store tells how often it did', () => {
    const source = 'none';
    const told = { withoutStore: { answer: 'allow' }, phases: { onset: { source }, fault: { source } } } as const;
    expect(story(told).happened).toContain('While it lasted 100 % of 2,400 requests were answered without a bucket.');
  });

  it('of a master that was replaced tells of the one that took its place', () => {
    expect(story(failoverSpec())).toMatchObject({
      broken: 'One master was killed, and came back empty, from 1.0 s to 5.0 s.',
      happened: [
        'Every breaker was open 16 ms after the injection began.',
        'Another master had taken its place 1.60 s after the kill.',
        'While it lasted the fallback decided 14.2 % of 2,400 requests.',
        'After that Redis decided again within 106 ms.',
      ],
    });
  });

  it('of a run without a fault tells that nothing was broken', () => {
    expect(story({ fault: null, phases: [{ name: 'baseline', ms: 2000 }] })).toMatchObject({
      broken: 'Nothing: this run shows how it is when all is well.',
      happened: ['Redis decided 100 % of 1,200 requests, the fallback 0.'],
    });
  });

  const between = (fromMs: number, toMs: number, changes: Partial<FaultEvent> = {}) => [
    fault('inject', fromMs, { ...changes, endMs: fromMs }),
    fault('heal', toMs, { ...changes, beginMs: toMs, endMs: toMs }),
  ];

  it('of faults that come again tells what was broken once, and of every opening', () => {
    const slow = { fault: 'latency', effect: 'none', description: 'Redis was 1 ± 0 ms away' } as const;
    const faults = [...between(1000, 1500, slow), ...between(2000, 2500), ...between(3000, 3500)];
    const breaker = [move('limiter-1', 3010, 'closed', 'open'), move('limiter-1', 4000, 'open', 'half-open')];
    const { broken, happened } = story({ faults, breaker });
    expect(broken).toBe(
      'Redis was 1 ± 0 ms away, from 1.0 s to 1.5 s. Every packet between the limiters and Redis was dropped, from 2.0 s to 2.5 s and from 3.0 s to 3.5 s.',
    );
    expect(happened.slice(0, 2)).toEqual([
      'A breaker opened in 1 of 3 faults.',
      'While they lasted the fallback decided 100 % of 2,400 requests.',
    ]);
  });

  it('of a storm counts its faults, of which the report has a table, and no legend names dozens', () => {
    const faults = Array.from({ length: 20 }, (_, i) =>
      between(1000 + 400 * i, 1200 + 400 * i, { fault: `kind-${i}`, description: `Number ${i} was broken` }),
    ).flat();
    expect(story({ faults }).broken).toBe('20 faults of 20 kinds; the report has a table of them.');
    const run = runOf({ faults });
    const page = reportOf(run, journal(run));
    expect(page).toContain('<td>Number 19 was broken</td><td>limiter-1</td><td>8.6 s</td><td>8.8 s</td>');
    expect(page).toContain('one of 20 kinds of faults in place');
    expect(page).not.toContain('kind-0, kind-1');
  });

  it('of a phase without answers does not call it fast', () => {
    expect(story({ phases: { fault: { status: 0 } } }).promise).toContain('in fault more than 1 % were not');
  });
});

describe('the command that shows it again', () => {
  it('has the seed, and the settings that differ from the defaults', () => {
    expect(commandOf(runOf({ bounds: { redisTimeoutMs: 2000 } }))).toBe(
      'RATE_LIMIT=10 RATE_LIMIT_WINDOW_SEC=5 INSTANCES=2 REDIS_TIMEOUT_MS=2000 npm run scenario partition -- --driver native --seed 42 --rate 600',
    );
  });

  it.each([
    ['rate-limiter-flexible', 'rate-limiter-flexible'],
    ['command', "command --command 'CMD'"],
    ["x'; rm -rf /", 'FILE'],
  ])('of the target %s has that, and takes its bounds for no settings', (target, option) => {
    const run = runOf({ bounds: { capacity: 20, fallbackCapacity: 5 } });
    const other = { ...run, history: { ...run.history, run: { ...run.history.run, target } } };
    expect(commandOf(other)).toBe(`npm run scenario partition -- --target ${option} --seed 42 --rate 600`);
  });

  it('of a storm replays the run, whose seed alone does not tell it', () => {
    const run = runOf();
    const storm = (change: object) =>
      commandOf({ ...run, history: { ...run.history, run: { ...run.history.run, scenario: 'storm', ...change } } });
    const settings = 'RATE_LIMIT=10 RATE_LIMIT_WINDOW_SEC=5 INSTANCES=2';
    expect(storm({})).toBe(`${settings} npm run scenario storm -- --driver native --replay RUN`);
    expect(storm({ target: 'command' })).toBe(
      "npm run scenario storm -- --target command --command 'CMD' --replay RUN",
    );
  });

  it('of a session by hand is the console, also where nothing was switched on', () => {
    const run = runOf({ fault: null, probes: [] });
    const manual = { ...run, history: { ...run.history, run: { ...run.history.run, scenario: 'manual' } } };
    expect(commandOf(manual)).toMatch(/ npm run console$/);
  });

  it('is safe to paste, whatever the name', () => {
    const run = runOf();
    const renamed = { ...run, history: { ...run.history, run: { ...run.history.run, scenario: "a'; rm -rf /" } } };
    expect(commandOf(renamed)).toContain(`npm run scenario 'a'\\''; rm -rf /' --`);
  });
});

describe('a p99 of a phase of which more than 1 % had no answer', () => {
  const run = runOf({ phases: { fault: { status: (i: number) => (i % 40 ? 200 : 0) } } });

  it('is told as infinite, and not as if nobody had asked; in JSON it is null', () => {
    expect(summaryMdOf(run, journal(run))).toMatch(/^\| fault \| 1,800 \| 1,755 \| 1 \| ∞ \| 1 \|/m);
    expect(reportOf(run, journal(run))).toContain('fault ∞ ms, control 1 ms');
    const { phases } = JSON.parse(JSON.stringify(journal(run)));
    expect(phases.fault.latencyMs).toEqual({ p50: 1, p99: null, p999: null, max: null });
  });

  it('differs from any other in a comparison', () => {
    const side = (name: string, of: Run) => ({ name, run: of, journal: journal(of) });
    const page = comparisonOf(side('a', run), side('b', runOf()));
    const row = /<tr class="(\w+)"><td>≠?<\/td><td>fault<\/td><td>p99 ms<\/td><td>(.*?)<\/td><td>(.*?)<\/td>/.exec(
      page,
    );
    expect(row?.slice(1)).toEqual(['differs', '∞', '1']);
  });
});

describe('summary.md', () => {
  it('tells verdict, story and figures', () => {
    const run = runOf(specs.fail);
    const text = summaryMdOf(run, journal(run));
    expect(text.split('\n').slice(0, 10)).toEqual([
      '### ❌ fail: partition',
      '',
      'Availability failed: 24 requests, limit 0 (first: status 503 from limiter-1 at 1.000 s). So did 1 other check.',
      '',
      '> All will be well.',
      '',
      expect.stringMatching(/^- \*\*What was broken:\*\* Every packet/),
      expect.stringMatching(/^- \*\*What happened:\*\* Every breaker/),
      expect.stringMatching(/^- \*\*Did the promise hold\?\*\* No\. /),
      '',
    ]);
    expect(text).toContain(
      '| onset | 600 | 600 | 1.97 | 1,465 | 1 | 0 | 600 |'.replace(
        '1.97',
        String(figure(journal(run).phases.onset?.latencyMs.p50 ?? null)),
      ),
    );
  });

  it('keeps markup and tables whole, whatever stands in a detail', () => {
    const run = runOf();
    const odd = { ...run.checks[0], verdict: 'fail', detail: 'a | b\n<script> @all `x`' } as Run['checks'][number];
    const text = summaryMdOf({ ...run, checks: [odd] }, journal({ ...run, checks: [odd] }));
    expect(text).toContain('a \\| b &lt;script> \\@all \\`x\\` |');
    expect(text).not.toContain('<script>');
  });
});

describe('junit.xml', () => {
  it('counts a failed check as a failure, and one that cannot tell as an error', () => {
    const [fail, unknown] = [specs.fail, specs.unknown].map((spec) => junitOf(runOf(spec), journal(runOf(spec))));
    expect(fail).toContain('tests="23" failures="2" errors="0" skipped="4"');
    expect(fail).toContain('<failure type="availability" message="first: status 503 from limiter-1 at 1.000 s">');
    expect(unknown).toContain('tests="23" failures="0" errors="5" skipped="4"');
  });
});

it('junit.xml writes a median that has no end, since half of the answers were lost, as people do', () => {
  const its = { name: 'back-to-normal', phase: 'recovered', unit: 'ms median', detail: '' } as const;
  const check: CheckResult = { ...its, verdict: 'fail', measured: Number.POSITIVE_INFINITY, limit: 9 };
  const run = runOf();
  expect(junitOf(run, { ...journal(run), checks: [check] })).toContain('measured ∞, limit 9 ms median, margin −∞ (');
});

describe('the requests that nobody decided', () => {
  const reset = { status: 0, source: null, error: 'read ECONNRESET' };
  const run = runOf({ answers: [answer(1500, { status: 503 }), answer(1501, reset), answer(6500, reset)] });

  it('stand in the report and in the summary, by phase and kind', () => {
    expect(summaryMdOf(run, journal(run))).toContain(
      'Requests without a decision:\n\n| phase | reset | 5xx |\n| --- | --- | --- |\n| onset | 1 | 1 |\n| heal | 1 | 0 |\n',
    );
    expect(reportOf(run, journal(run))).toContain('<th scope="col">reset</th><th scope="col">5xx</th>');
  });

  it('have no table where there are none', () => {
    const sound = runOf();
    expect(summaryMdOf(sound, journal(sound))).not.toContain('without a decision');
    expect(reportOf(sound, journal(sound))).not.toContain('errors-title');
  });
});

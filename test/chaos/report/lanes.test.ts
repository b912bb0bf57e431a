import { describe, expect, it } from 'vitest';
import { fleet } from '../../../chaos/checks/fleet.ts';
import type { SourceKind } from '../../../chaos/history.ts';
import { admissionLane } from '../../../chaos/report/admission-lane.ts';
import { breakerLanes, stateAt } from '../../../chaos/report/breaker-lane.ts';
import { armOf, binsOf, detoursOf, pointsOf, tally } from '../../../chaos/report/lanes.ts';
import { storeErrorsLane } from '../../../chaos/report/store-errors-lane.ts';
import { timelineOf } from '../../../chaos/report/timeline.ts';
import { failoverHistory } from '../../support/failover-history.ts';
import { buildHistory } from '../../support/history-builder.ts';
import { answer, fault, move, storeErrors } from '../../support/history-events.ts';

describe('bins', () => {
  it('begin at multiples of their width, and stretches without requests have none', () => {
    const answers = [answer(260, { latencyMs: 4 }), answer(10), answer(1000, { latencyMs: 7 })];
    expect(binsOf(answers).map(({ startMs, requests, latencyMs }) => [startMs, requests, latencyMs.max])).toEqual([
      [0, 1, 1],
      [250, 1, 4],
      [1000, 1, 7],
    ]);
  });

  it('of a slice are those of the whole, so that a viewer needs only the last ones anew', () => {
    const answers = armOf(buildHistory(), 'faulted');
    const late = answers.filter(({ scheduledMs }) => scheduledMs >= 5000);
    expect(binsOf(late)).toEqual(binsOf(answers).filter(({ startMs }) => startMs >= 5000));
  });

  it('count each answer once, by who decided and what', () => {
    const { requests, outcomes } = tally([
      answer(0),
      answer(0, { status: 429 }),
      answer(0, { source: 'local' }),
      answer(0, { source: 'local', status: 429 }),
      answer(0, { source: null }),
      answer(0, { source: 'shared', status: 503 }),
      answer(0, { source: null, status: 0 }),
    ]);
    expect({ requests, outcomes }).toEqual({
      requests: 7,
      outcomes: {
        'store allowed': 1,
        'store refused': 1,
        'fallback allowed': 1,
        'fallback refused': 1,
        'no bucket allowed': 0,
        'no bucket refused': 0,
        unreported: 1,
        failed: 2,
      },
    });
  });

  it('have an infinite p99 where more than one in a hundred was never answered', () => {
    const answers = Array.from({ length: 100 }, (_, i) => answer(i, { status: i < 2 ? 0 : 200 }));
    expect(tally(answers).latencyMs).toEqual({ p50: 1, p99: Infinity, p999: Infinity, max: Infinity });
  });
});

describe('points', () => {
  it('are all answers where there is room', () => {
    expect(pointsOf([answer(1), answer(2, { status: 0 })], 10)).toEqual({
      points: [
        { atMs: 1, latencyMs: 1 },
        { atMs: 2, latencyMs: Number.POSITIVE_INFINITY },
      ],
      of: 2,
    });
  });

  it('are a sample elsewhere, which never leaves out what stands out', () => {
    const answers = Array.from({ length: 10_000 }, (_, i) => answer(i, { latencyMs: i % 1000 === 777 ? 50 : 1 }));
    const { points, of } = pointsOf(answers, 400);
    expect(of).toBe(10_000);
    expect(points.length).toBeLessThanOrEqual(400);
    expect(points.length).toBeGreaterThan(300);
    expect(points.filter(({ latencyMs }) => latencyMs === 50)).toHaveLength(10);
  });

  it('of answers that were all due at once are a sample as well', () => {
    const answers = Array.from({ length: 1000 }, (_, i) => answer(5, { latencyMs: i }));
    expect(pointsOf(answers, 100).points.length).toBeLessThanOrEqual(100);
  });
});

describe('the breaker lane', () => {
  it('covers the whole run without a gap, for each instance', () => {
    const breaker = [
      move('limiter-1', 1016, 'closed', 'open'),
      move('limiter-1', 5003, 'open', 'half-open'),
      move('limiter-1', 5005, 'half-open', 'closed'),
    ];
    const [first, , control] = breakerLanes(buildHistory({ breaker }), 0, 10_000);
    expect(first).toEqual({
      instance: 'limiter-1',
      control: false,
      reportsBreaker: true,
      spans: [
        { state: 'closed', startMs: 0, endMs: 1016 },
        { state: 'open', startMs: 1016, endMs: 5003 },
        { state: 'half-open', startMs: 5003, endMs: 5005 },
        { state: 'closed', startMs: 5005, endMs: 10_000 },
      ],
    });
    expect(control?.spans).toEqual([{ state: 'closed', startMs: 0, endMs: 10_000 }]);
  });

  it('says nothing of an instance that does not tell', () => {
    const instances = [{ name: 'limiter-1', control: false, reportsBreaker: false }];
    expect(breakerLanes(buildHistory({ instances, breaker: [] }), 0, 1000)).toEqual([
      { instance: 'limiter-1', control: false, reportsBreaker: false, spans: [] },
    ]);
  });

  it('of an instance with several breakers shows the worst, and forgets one that is gone with its Redis', () => {
    const [lane] = breakerLanes(failoverHistory(), 0, 10_000);
    expect(lane?.spans).toEqual([
      { state: 'closed', startMs: 0, endMs: 1016 },
      { state: 'open', startMs: 1016, endMs: 2800 },
      { state: 'closed', startMs: 2800, endMs: 10_000 },
    ]);
    const two = [move('limiter-1', 100, 'closed', 'open', 'a:1'), move('limiter-1', 200, 'closed', 'open', 'a:2')];
    const probed = [
      move('limiter-1', 300, 'open', 'half-open', 'a:2'),
      move('limiter-1', 310, 'half-open', 'closed', 'a:2'),
    ];
    const [both] = breakerLanes(failoverHistory({ breaker: [...two, ...probed] }), 0, 1000);
    expect(both?.spans.map(({ state, startMs }) => [state, startMs])).toEqual([
      ['closed', 0],
      ['open', 100],
    ]);
  });

  it('tells the state at an instant', () => {
    const [lane] = breakerLanes(buildHistory({ breaker: [move('limiter-1', 100, 'closed', 'open')] }), 0, 1000);
    expect([0, 99, 100, 5000].map((ms) => lane && stateAt(lane, ms))).toEqual(['closed', 'closed', 'open', 'open']);
  });
});

describe('answers that Redis did not give', () => {
  it('are counted by reason', () => {
    const history = buildHistory({ phases: [], answers: [], breaker: [move('limiter-1', 500, 'closed', 'open')] });
    const answers = [
      answer(10, { source: 'local' }),
      answer(20),
      answer(600, { source: 'local' }),
      answer(610, { source: 'local' }),
      answer(620, { source: null, status: 0, error: 'ECONNRESET' }),
      answer(630, { source: null, status: 502 }),
    ];
    expect(detoursOf(answers, breakerLanes(history, 0, 1000))).toEqual([
      { startMs: 0, reasons: new Map([['call to Redis failed or late', 1]]) },
      {
        startMs: 500,
        reasons: new Map([
          ['breaker not closed', 2],
          ['no answer: ECONNRESET', 1],
          ['status 502', 1],
        ]),
      },
    ]);
  });
});

describe('failed calls to Redis', () => {
  const laneOf = (...told: ReturnType<typeof storeErrors>[]) =>
    storeErrorsLane(buildHistory({ fault: null, storeErrors: told }), 500);
  const inOrder = (lane: ReturnType<typeof laneOf>) => lane?.map(({ startMs, reasons }) => [startMs, ...reasons]);

  it('are spread over the time between two scrapes, instances added up and the control left out', () => {
    const lane = laneOf(
      storeErrors('limiter-1', 250, { timeout: 7 }), // from before the run
      storeErrors('limiter-1', 1250, { timeout: 11, refused: 2 }),
      storeErrors('limiter-2', 500, {}),
      storeErrors('limiter-2', 1000, { timeout: 3 }),
      storeErrors('limiter-control', 0, {}),
      storeErrors('limiter-control', 1000, { timeout: 50 }),
    );
    expect(inOrder(lane)).toEqual([
      [0, ['timeout', 1], ['refused', 0.5]],
      [500, ['timeout', 5], ['refused', 1]],
      [1000, ['timeout', 1], ['refused', 0.5]],
    ]);
  });

  it.each([
    ['are drawn from the injection on, of those between the scrapes around it', 'limiter-1', 1000],
    ['are, too, where the fault is one of what all share', 'redis', 1000],
    ['are not, where the fault is another instance’s', 'limiter-2', 500],
  ])('%s', (_title, target, fromMs) => {
    const told = [500, 1500, 2500].map((atMs, i) => storeErrors('limiter-1', atMs, { timeout: 6 * i }));
    const faults = [fault('inject', 1001, { target }), fault('heal', 5000, { target })];
    const lane = storeErrorsLane(buildHistory({ faults, storeErrors: told }), 250) ?? [];
    expect(lane[0]?.startMs).toBe(fromMs);
    const total = lane.reduce((sum, { reasons }) => sum + (reasons.get('timeout') ?? 0), 0);
    expect([total.toFixed(9), lane.at(-1)?.startMs]).toEqual(['12.000000000', 2250]);
  });

  it('are spread as before while a fault is in place already, though another is put on', () => {
    const told = [1500, 2500].map((atMs, i) => storeErrors('limiter-1', atMs, { timeout: 4 * i }));
    const faults = [fault('inject', 1000), fault('inject', 2100, { fault: 'latency' })];
    const lane = storeErrorsLane(buildHistory({ faults, storeErrors: told }), 250) ?? [];
    expect(lane.map(({ startMs, reasons }) => [startMs, ...reasons.values()])).toEqual([
      [1500, 1],
      [1750, 1],
      [2000, 1],
      [2250, 1],
    ]);
  });

  it('are counted anew after the instance was started anew', () => {
    const lane = laneOf(
      storeErrors('limiter-1', 0, { timeout: 40 }),
      storeErrors('limiter-1', 500, { timeout: 3 }),
      storeErrors('limiter-1', 1000, { timeout: 3 }),
    );
    expect(inOrder(lane)).toEqual([[0, ['timeout', 3]]]);
  });

  it('are none where every call succeeded, and not known where nobody tells', () => {
    expect(laneOf(storeErrors('limiter-1', 0, {}), storeErrors('limiter-1', 1000, {}))).toEqual([]);
    expect(laneOf()).toBeUndefined();
    expect(laneOf(storeErrors('limiter-control', 0, { timeout: 1 }))).toBeUndefined();
  });
});

describe('the admission lane', () => {
  const greedy = (source: SourceKind) => ({
    key: 'k0',
    source,
    status: (i: number) => (i < 4 ? 200 : 429),
  });
  it.each([
    ['of a partition', { kind: 'partition' } as const, 48.008], // 10 + 2/s · 10 s, and twice 5 + 1/s · 4 s
    ['of a Redis that comes back empty', { kind: 'redis-kill' } as const, 58.008], // another 10
  ])('%s ends at the bound of the whole run, and is never over it', (_, kind, bound) => {
    const history = buildHistory({
      fault: kind,
      phases: {
        baseline: greedy('shared'),
        onset: greedy('local'),
        fault: greedy('local'),
        heal: greedy('shared'),
        recovered: greedy('shared'),
      },
    });
    const lane = admissionLane(history);
    expect(lane?.key).toBe('k0');
    const last = lane?.steps.at(-1);
    expect([last?.admitted, last?.bound]).toEqual([20, expect.closeTo(bound, 3)]);
    expect(fleet.judge(history)).toMatchObject([{ verdict: 'pass' }]);
    expect(lane?.steps.filter(({ admitted, bound }) => admitted > bound)).toEqual([]);
  });

  it('shows where a limiter that admits everybody leaves the bound', () => {
    const lane = admissionLane(buildHistory({ fault: null, phases: [{ name: 'baseline', ms: 1000, key: 'k0' }] }));
    const over = lane?.steps.find(({ admitted, bound }) => admitted > bound);
    expect(over).toMatchObject({ admitted: 11 });
  });

  const popularAndRare = (rareAsks: number) =>
    buildHistory({
      fault: null,
      phases: [{ name: 'baseline', ms: 1000, key: 'popular', status: (i) => (i < 6 ? 200 : 429) }],
      answers: Array.from({ length: rareAsks }, (_, i) => answer(i, { key: 'rare', source: 'local' })),
    });

  it('is of the most popular key, though a rare one is nearer to its bound', () => {
    const history = popularAndRare(4);
    expect(fleet.judge(history)[0]?.detail).toMatch(
      /^nearest to its bound: key rare, 4 admitted of at most 5\.0 within /,
    );
    expect(admissionLane(history)?.key).toBe('popular');
  });

  it('is of a rare key that is over its bound', () => {
    expect(admissionLane(popularAndRare(6))?.key).toBe('rare');
  });

  it('does not exist where nobody was asked', () => {
    expect(admissionLane(buildHistory({ phases: [] }))).toBeUndefined();
  });
});

describe('the timeline', () => {
  const partition = { fault: 'partition', description: 'Every packet between the limiters and Redis was dropped' };

  it('has the phases, and one window for a fault on several links', () => {
    const { endMs, stretches, faults } = timelineOf(buildHistory());
    expect({ endMs, names: stretches.map(({ name }) => name), faults }).toEqual({
      endMs: 10_000,
      names: ['baseline', 'onset', 'fault', 'heal', 'recovered'],
      faults: [{ ...partition, targets: ['limiter-1', 'limiter-2'], startMs: 1000, endMs: 5001, healed: true }],
    });
  });

  it('leaves a fault in place that was never healed', () => {
    const history = buildHistory({ faults: [fault('inject', 1000)], complete: false });
    expect(timelineOf(history).faults).toEqual([
      { ...partition, targets: ['limiter-1'], startMs: 1000, endMs: 9998.333333333334, healed: false },
    ]);
  });

  it('tells two faults one after the other apart', () => {
    const faults = [fault('inject', 1000), fault('heal', 2000), fault('inject', 3000), fault('heal', 4000)];
    expect(timelineOf(buildHistory({ faults })).faults.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [1000, 2001],
      [3000, 4001],
    ]);
  });

  it('calls warm-up what comes before the first phase', () => {
    const history = buildHistory({ phases: [], answers: [answer(2000)] });
    const timeline = timelineOf({ ...history, phases: [{ name: 'baseline', startMs: 1000, endMs: 3000 }] });
    expect(timeline.stretches).toEqual([
      { name: 'warm-up', startMs: 0, endMs: 1000 },
      { name: 'baseline', startMs: 1000, endMs: 3000 },
    ]);
  });
});

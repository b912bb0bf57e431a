// What a fault forces on a limiter decides what is expected of it, whatever the fault is called.

import { describe, expect, it } from 'vitest';
import { runChecks } from '../../../chaos/checks/check.ts';
import { failsOpen } from '../../../chaos/checks/fails-open.ts';
import { checks } from '../../../chaos/checks/index.ts';
import { isolation } from '../../../chaos/checks/isolation.ts';
import type { AnswerEvent, FaultFacts } from '../../../chaos/history.ts';
import type { FaultSpec, PhaseName } from '../../../chaos/scenario.ts';
import { buildHistory, type HistorySpec, type PhaseSpec } from '../../support/history-builder.ts';
import { fault, move, probe } from '../../support/history-events.ts';

/** These histories say nothing of when to ask again, nor of memory, and end soon after the heal. */
const untold = ['retry-after', 'memory', 'back-to-normal'];
const judging = checks.filter(({ name }) => !untold.includes(name));

/** What is judged other than as passed, and what cannot be judged by name. */
function findings(spec: HistorySpec) {
  const results = runChecks(judging, buildHistory(spec));
  return results
    .filter(({ verdict }) => verdict !== 'pass')
    .map(({ name, phase, verdict }) => `${name} ${phase} ${verdict}`);
}

const latency = (latencyMs: number): FaultSpec => ({ kind: 'latency', latencyMs });
const answeredBy = (source: AnswerEvent['source'] | ((i: number) => AnswerEvent['source'])) => ({
  onset: { source },
  fault: { source },
});

describe('a fault that leaves time enough', () => {
  const spared = ['trip all not applicable', 'isolation all not applicable', 'recovery all not applicable'];

  it('passes a limiter that stays with Redis', () => {
    expect(findings({ fault: latency(1), phases: answeredBy('shared'), breaker: [] })).toEqual(spared);
  });

  it('fails one that turns to its fallback', () => {
    expect(findings({ fault: latency(1), phases: answeredBy('local') })).toEqual([
      'trip all not applicable',
      'fails-open fault fail',
      ...spared.slice(1),
    ]);
  });
});

describe('a fault that makes calls slow', () => {
  it.each(['shared', 'local', (i: number) => (i % 3 === 0 ? 'shared' : 'local')] as const)(
    'leaves it to the limiter who answers: %s',
    (source) => {
      const moves = source === 'local' ? {} : { breaker: [] };
      expect(findings({ fault: latency(4), phases: answeredBy(source), ...moves })).toEqual([
        'trip all not applicable',
        'fails-open fault not applicable',
        'isolation all not applicable',
        'recovery all not applicable',
      ]);
    },
  );
});

describe('a fault that cuts off', () => {
  it('fails a limiter that stays with Redis', () => {
    const failed = findings({ fault: latency(100), phases: answeredBy('shared'), breaker: [] });
    expect(failed).toEqual(expect.arrayContaining(['fails-open onset fail', 'fails-open fault fail']));
  });
});

describe('a fault on the link of one instance', () => {
  const facts = { reach: 'one-store-link', target: 'limiter-1' } as const;
  const faults = [fault('inject', 1000, facts), fault('heal', 5000, facts)];
  const probes = [probe('limiter-1', 2010, 'broken'), probe('limiter-1', 5010, 'healthy')];
  const breaker = [
    move('limiter-1', 1016, 'closed', 'open'),
    move('limiter-1', 3000, 'open', 'half-open'),
    move('limiter-1', 3005, 'half-open', 'open'),
    move('limiter-1', 5003, 'open', 'half-open'),
    move('limiter-1', 5005, 'half-open', 'closed'),
  ];
  // The two instances take turns, the first begins.
  const turns = (odd: AnswerEvent['source']): Partial<PhaseSpec> => ({
    source: (i) => (i % 2 ? odd : 'local'),
  });
  const spec = (odd: AnswerEvent['source']): HistorySpec => ({
    ...{ faults, probes, breaker },
    phases: { onset: turns(odd), fault: turns(odd) },
  });

  it('passes when the other one stays with Redis', () => {
    expect(findings(spec('shared'))).toEqual([]);
  });

  it('fails by isolation when the other one turns to its fallback as well', () => {
    expect(findings(spec('local'))).toEqual(['breaker all fail', 'isolation onset unknown', 'isolation fault fail']);
  });
});

describe('a fault between the clients and one instance', () => {
  const facts = { fault: 'slow-clients', effect: 'none', reach: 'one-front-link', target: 'limiter-1' } as const;
  const faults = [fault('inject', 1000, facts), fault('heal', 5000, facts)];
  const probes = [probe('limiter-1', 2010, 'broken'), probe('limiter-1', 5010, 'healthy')];
  // The two instances take turns, the first begins.
  const ofFirst =
    <T>(its: T, others: T) =>
    (i: number) =>
      i % 2 ? others : its;
  const late: Partial<PhaseSpec> = { source: 'shared', rate: 1200, latencyMs: ofFirst(300, 1) };
  const lost: Partial<PhaseSpec> = {
    ...late,
    source: ofFirst<AnswerEvent['source']>(null, 'shared'),
    status: ofFirst(0, 200),
  };
  const without = ['trip all not applicable', 'recovery all not applicable'];
  const through = (
    phases: Partial<Record<PhaseName, Partial<PhaseSpec>>>,
    changed: Partial<FaultFacts> = {},
    more: Pick<HistorySpec, 'faults' | 'probes'> = {},
  ) =>
    findings({
      fault: { kind: 'slow-clients', kilobytesPerSecond: 2 },
      ...{ probes, breaker: [] },
      faults: faults.map((it) => ({ ...it, ...changed })),
      phases: { onset: late, fault: late, heal: late, ...phases },
      ...more,
    });

  it('excuses what comes late through that link, or is lost on it, until the run has recovered', () => {
    expect(through({})).toEqual(without);
    expect(through({ onset: lost, fault: lost, heal: lost })).toEqual(without);
  });

  it('excuses neither when it is on the way to Redis', () => {
    const reach = { reach: 'one-store-link' } as const;
    expect(through({}, reach)).toEqual(
      expect.arrayContaining(['latency onset fail', 'latency fault fail', 'latency heal fail']),
    );
    expect(through({ fault: lost }, reach)).toEqual(expect.arrayContaining(['availability all fail']));
  });

  it('excuses nothing of the other instance, nor of a time when it is over', () => {
    const slow = { ...late, latencyMs: ofFirst(1, 300) };
    expect(through({ fault: slow })).toEqual(['latency fault fail', ...without]);
    expect(through({ recovered: late })).toEqual(['latency recovered fail', ...without]);
    const other = {
      ...lost,
      source: ofFirst<AnswerEvent['source']>('shared', null),
      status: ofFirst(200, 0),
    } as const;
    expect(through({ fault: other })).toEqual(
      expect.arrayContaining(['availability all fail', 'isolation fault fail']),
    );
  });

  it('excuses no answer that says the wrong thing', () => {
    expect(through({ fault: { ...late, status: ofFirst(503, 200) } })).toContain('availability all fail');
    expect(through({ fault: { ...late, source: 'local' } })).toContain('fails-open fault fail');
  });

  it('leaves no latency to judge where it is on every link', () => {
    const both = ['limiter-1', 'limiter-2'].flatMap((target) =>
      faults.map((it) => ({ ...it, target, reach: 'front-links' }) as const),
    );
    const seen = ['limiter-1', 'limiter-2'].flatMap((name) => probes.map((it) => ({ ...it, instance: name })));
    expect(through({}, {}, { faults: both, probes: seen })).toEqual([
      'latency onset not applicable',
      'latency fault not applicable',
      'latency heal not applicable',
      'trip all not applicable',
      'isolation all not applicable',
      'recovery all not applicable',
    ]);
  });
});

describe('a fault that comes and goes', () => {
  const [first, second] = [1000, 4000];
  const faults = [first, second].flatMap((ms) =>
    ['limiter-1', 'limiter-2'].flatMap((target) => [
      fault('inject', ms, { target }),
      fault('heal', ms + 1500, { target }),
    ]),
  );
  const phases: PhaseSpec[] = [
    { name: 'baseline', ms: 1000, source: 'shared' },
    { name: 'onset', ms: 1000, source: 'local' },
    { name: 'fault', ms: 500, source: 'local', rate: 1200 },
    { name: 'heal', ms: 1500, source: 'shared' },
    { name: 'onset', ms: 1000, source: 'local', key: (i) => `again-${i}` },
    { name: 'fault', ms: 500, source: 'local', rate: 1200, key: (i) => `once-more-${i}` },
    { name: 'heal', ms: 2000, source: 'shared', key: (i) => `back-${i}` },
    { name: 'recovered', ms: 3000, source: 'shared' },
  ];
  const links = ['limiter-1', 'limiter-2'];
  const probes = links.flatMap((it) => [
    probe(it, 2010, 'broken'),
    probe(it, 5010, 'broken'),
    probe(it, 5600, 'healthy'),
  ]);
  const moves = (ms: number, openMs = 16) =>
    links.flatMap((it) => [
      move(it, ms + openMs, 'closed', 'open'),
      move(it, ms + 1503, 'open', 'half-open'),
      move(it, ms + 1505, 'half-open', 'closed'),
    ]);

  it('passes a limiter that came through each time, and judges a phase as one', () => {
    const history = buildHistory({ phases, faults, probes, breaker: [...moves(first), ...moves(second)] });
    const results = runChecks(judging, history);
    expect(results.filter(({ verdict }) => verdict !== 'pass').map(({ name }) => name)).toEqual(['isolation']);
    expect(results.filter(({ name }) => name === 'latency').map(({ phase }) => phase)).toEqual([
      'baseline',
      'onset',
      'fault',
      'heal',
      'recovered',
    ]);
  });

  it('fails one whose breaker opens in time only once', () => {
    const breaker = [...moves(first), ...moves(second, 200)];
    expect(findings({ phases, faults, probes, breaker })).toContain('trip onset fail');
  });

  it('says of one fault that was not seen to bite nothing, and judges the other', () => {
    const unseen = [...links.map((it) => probe(it, 2020, 'broken', 'healthy')), ...probes];
    const late = findings({ phases, faults, probes: unseen, breaker: [...moves(first), ...moves(second, 200)] });
    expect(late).toContain('trip onset fail');
    const lateUnseen = findings({ phases, faults, probes: unseen, breaker: [...moves(first, 200), ...moves(second)] });
    expect(lateUnseen).not.toContain('trip onset fail');
    const sharedIn = (i: number) => phases.map((it, at): PhaseSpec => (at === i ? { ...it, source: 'shared' } : it));
    const breaker = [...moves(first), ...moves(second)];
    expect(findings({ phases: sharedIn(5), faults, probes: unseen, breaker })).toContain('fails-open fault fail');
    expect(findings({ phases: sharedIn(2), faults, probes: unseen, breaker })).not.toContain('fails-open fault fail');
    expect(findings({ phases: sharedIn(2), faults, probes, breaker })).toContain('fails-open fault fail');
  });
});

describe('a fault between the clients and the instances that lasts beyond one that cuts off', () => {
  const links = ['limiter-1', 'limiter-2'];
  const resets = { fault: 'client-resets', effect: 'none', reach: 'front-links' } as const;
  const [cutMs, frontMs, healMs, frontHealMs] = [1000, 3000, 5000, 7600];
  const faults = links.flatMap((target) => [
    ...[fault('inject', cutMs, { target }), fault('heal', healMs, { target })],
    ...[fault('inject', frontMs, { target, ...resets }), fault('heal', frontHealMs, { target, ...resets })],
  ]);
  const probes = links.flatMap((it) => [
    ...[probe(it, 2010, 'broken'), probe(it, 5600, 'broken'), probe(it, 7610, 'healthy')],
  ]);
  const lost: Partial<PhaseSpec> = { source: null, status: 0, rate: 1200 };
  const back: Partial<PhaseSpec> = { source: 'shared', rate: 1200 };
  const phases = (meanwhile: Partial<PhaseSpec>, after = back): PhaseSpec[] => [
    { name: 'baseline', ms: 1000, source: 'shared' },
    { name: 'onset', ms: 1000, source: 'local' },
    { name: 'fault', ms: 1000, source: 'local', rate: 1200, key: (i) => `alone-${i}` },
    { name: 'onset', ms: 1000, key: (i) => `second-${i}`, ...meanwhile },
    { name: 'fault', ms: 3600, ...meanwhile },
    { name: 'heal', ms: 2000, ...after },
    { name: 'recovered', ms: 3000, source: 'shared' },
  ];
  /** Who asks again only when a request comes waits for the first that gets through. */
  const moves = (againMs: number) =>
    links.flatMap((it) => [
      ...[move(it, 1016, 'closed', 'open'), move(it, 2020, 'open', 'half-open'), move(it, 2025, 'half-open', 'open')],
      ...[move(it, 3000, 'open', 'half-open'), move(it, 3005, 'half-open', 'open')],
      ...[move(it, againMs, 'open', 'half-open'), move(it, againMs + 3, 'half-open', 'closed')],
    ]);
  const failing = (spec: HistorySpec) => findings(spec).filter((it) => it.endsWith(' fail'));

  it('is no reason to call a limiter late whose answers it lost', () => {
    expect(failing({ phases: phases(lost), faults, probes, breaker: moves(5005) })).toEqual([]);
    expect(failing({ phases: phases(lost), faults, probes, breaker: moves(7602) })).toEqual([]);
  });

  it('is none to excuse one that goes on without Redis', () => {
    const away: Partial<PhaseSpec> = { source: 'local', rate: 1200 };
    const still = phases(lost, away).map((it) => (it.name === 'recovered' ? { ...it, ...away } : it));
    expect(failing({ phases: still, faults, probes, breaker: moves(12_500) })).toContain('fails-open recovered fail');
  });
});

describe('a fault that leaves time enough, in a run with one that cuts off', () => {
  const links = ['limiter-1', 'limiter-2'];
  const slow = { fault: 'latency', effect: 'none' } as const;
  const [cutMs, healMs, slowMs, slowHealMs] = [1000, 3000, 6000, 11_000];
  const faults = (slowAtMs: number) =>
    links.flatMap((target) => [
      ...[fault('inject', cutMs, { target }), fault('heal', healMs, { target })],
      ...[fault('inject', slowAtMs, { target, ...slow }), fault('heal', slowHealMs, { target, ...slow })],
    ]);
  const probes = links.flatMap((it) => [
    ...[probe(it, 2010, 'broken'), probe(it, 6510, 'broken'), probe(it, 11_010, 'healthy')],
  ]);
  const breaker = links.flatMap((it) => [
    ...[move(it, 1016, 'closed', 'open'), move(it, 3003, 'open', 'half-open'), move(it, 3005, 'half-open', 'closed')],
  ]);
  const phases = (slowly: Partial<PhaseSpec>, ms = 4000): PhaseSpec[] => [
    { name: 'baseline', ms: 1000, source: 'shared' },
    { name: 'onset', ms: 1000, source: 'local' },
    { name: 'fault', ms: 1000, source: 'local' },
    { name: 'heal', ms: 2000, source: 'shared' },
    { name: 'recovered', ms: 1000, source: 'shared', key: (i) => `between-${i}` },
    { name: 'onset', ms: 1000, source: 'shared', key: (i) => `slow-${i}` },
    { name: 'fault', ms, source: 'shared', key: (i) => `slowly-${i}`, ...slowly },
    { name: 'heal', ms: 2000, source: 'shared', key: (i) => `quick-${i}` },
    { name: 'recovered', ms: 3000, source: 'shared' },
  ];
  const found = (slowly: Partial<PhaseSpec>) =>
    findings({ phases: phases(slowly), faults: faults(slowMs), probes, breaker }).filter((it) =>
      it.startsWith('fails-open'),
    );

  it('passes a limiter that stays with Redis then', () => {
    expect(found({})).toEqual([]);
  });

  it('fails one that turns to its fallback then as well', () => {
    expect(found({ source: 'local' })).toEqual(['fails-open fault fail']);
  });

  it('does not hold a fallback of a second against it: noise may be why', () => {
    const source = (i: number) => (i % 2 === 0 && i < 720 ? 'local' : 'shared');
    expect(found({ source })).toEqual(['fails-open fault unknown']);
  });

  it('does not hold against one that it was still on its way back from the other when it began', () => {
    const [soonMs, overMs] = [1990, 3300];
    const soon = links.flatMap((target) => [
      ...[fault('inject', cutMs, { target }), fault('heal', soonMs - 1, { target })],
      ...[fault('inject', soonMs, { target, ...slow }), fault('heal', overMs, { target, ...slow })],
    ]);
    const seen = links.flatMap((it) => [
      probe(it, 1510, 'broken'),
      probe(it, 2510, 'broken'),
      probe(it, 3310, 'healthy'),
    ]);
    // Its probe fails at 1,985 ms, and the next is at 3,185.
    const moves = links.flatMap((it) => [
      ...[move(it, 1016, 'closed', 'open'), move(it, 1985, 'open', 'half-open'), move(it, 1989, 'half-open', 'open')],
      ...[move(it, 3185, 'open', 'half-open'), move(it, 3187, 'half-open', 'closed')],
    ]);
    const its: PhaseSpec[] = [
      { name: 'baseline', ms: 1000, source: 'shared' },
      { name: 'onset', ms: 990, source: 'local' },
      { name: 'onset', ms: 1000, source: 'local', key: (i) => `slow-${i}` },
      { name: 'fault', ms: 310, source: (i) => (i < 118 ? 'local' : 'shared') },
      { name: 'heal', ms: 2000, source: 'shared' },
      { name: 'recovered', ms: 3000, source: 'shared' },
    ];
    const failing = findings({ phases: its, faults: soon, probes: seen, breaker: moves }).filter((it) =>
      it.endsWith(' fail'),
    );
    expect(failing).toEqual([]);
  });

  it('is judged alone where the other is over in the instant in which `fault` begins', () => {
    const its: PhaseSpec[] = [
      { name: 'baseline', ms: 1000, source: 'shared' },
      { name: 'onset', ms: 1001, source: 'local' },
      { name: 'fault', ms: 5999, source: (i) => (i < 300 ? 'local' : 'shared') },
      { name: 'heal', ms: 2000, source: 'shared' },
      { name: 'recovered', ms: 3000, source: 'shared' },
    ];
    const both = links.flatMap((target) => [
      ...[fault('inject', cutMs, { target }), fault('heal', 2001, { target })],
      ...[fault('inject', cutMs, { target, ...slow }), fault('heal', 8000, { target, ...slow })],
    ]);
    const seen = links.flatMap((it) => [
      probe(it, 1510, 'broken'),
      probe(it, 4010, 'broken'),
      probe(it, 8010, 'healthy'),
    ]);
    const results = failsOpen.judge(buildHistory({ phases: its, faults: both, probes: seen }));
    expect(results.find(({ phase }) => phase === 'fault')).toMatchObject({
      verdict: 'pass',
      detail: 'answered by the store, which nothing kept it from',
    });
  });
});

describe('a fault on the link of one instance, in a run with one on those of all', () => {
  const all = ['limiter-1', 'limiter-2'];
  const one = { reach: 'one-store-link', target: 'limiter-1' } as const;
  const faults = [
    ...[fault('inject', 1000, one), fault('heal', 5000, one)],
    ...all.flatMap((target) => [fault('inject', 9000, { target }), fault('heal', 11_000, { target })]),
  ];
  const judged = (source: (i: number) => AnswerEvent['source']) => {
    const phases: PhaseSpec[] = [
      { name: 'baseline', ms: 1000, source: 'shared' },
      { name: 'onset', ms: 1000, source },
      { name: 'fault', ms: 3000, source },
      { name: 'heal', ms: 2000, source: 'shared' },
      { name: 'recovered', ms: 2000, source: 'shared' },
      { name: 'onset', ms: 1000, source: 'local', key: (i) => `all-${i}` },
      { name: 'fault', ms: 1000, source: 'local', key: (i) => `of-all-${i}` },
      { name: 'heal', ms: 2000, source: 'shared', key: (i) => `back-${i}` },
      { name: 'recovered', ms: 3000, source: 'shared', key: (i) => `end-${i}` },
    ];
    return isolation.judge(buildHistory({ phases, faults })).map(({ phase, verdict }) => `${phase} ${verdict}`);
  };

  it('is no reason for the other to turn to its fallback meanwhile', () => {
    expect(judged((i) => (i % 2 ? 'shared' : 'local'))).toEqual(['fault pass']);
    expect(judged(() => 'local')).toEqual(['fault fail']);
  });

  it('leaves what a stall of its link explains unknown', () => {
    expect(judged((i) => (i % 2 && i > 100 ? 'shared' : 'local'))).toEqual(['fault unknown']);
  });
});

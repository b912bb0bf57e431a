import { describe, expect, it } from 'vitest';
import { runChecks, worstOf } from '../../../chaos/checks/check.ts';
import { checks } from '../../../chaos/checks/index.ts';
import { gapsIn } from '../../../chaos/checks/record.ts';
import type { FaultEvent, History } from '../../../chaos/history.ts';
import { failoverHistory } from '../../support/failover-history.ts';
import { buildHistory } from '../../support/history-builder.ts';
import { answer } from '../../support/history-events.ts';

const whole = buildHistory();
const changed = (changes: Partial<History>): History => ({ ...whole, ...changes });
const withoutFault = (isGone: (event: FaultEvent) => boolean) =>
  changed({ faults: whole.faults.filter((event) => !isGone(event)) });
const verdictOf = (history: History) => worstOf(runChecks(checks, history).map(({ verdict }) => verdict));
/** Answers that those of `limiter-1` and the control are twins of. */
const [twin] = whole.answers;

describe('the gaps of a record', () => {
  it('are none in a whole one, nor in one that says itself that it was cut off', () => {
    expect([gapsIn(whole), gapsIn(failoverHistory()), gapsIn(buildHistory({ fault: null }))]).toEqual([[], [], []]);
    expect(gapsIn(buildHistory({ complete: false }))).toEqual([]);
  });

  it('are none where the same fault was on all links, and then on one of them', () => {
    const { run, faults } = whole;
    const again = faults
      .filter(({ target }) => target === 'limiter-1')
      .map((it) => ({ ...it, reach: 'one-store-link', beginMs: it.beginMs + 6000, endMs: it.endMs + 6000 }) as const);
    const [first] = run.schedule;
    if (!first) throw new Error('nothing is planned');
    const twice = { ...run, schedule: [first, { ...first, reach: 'one-store-link', atMs: 7000 } as const] };
    expect(gapsIn(changed({ run: twice, faults: [...faults, ...again] }))).toEqual([]);
    expect(gapsIn(changed({ run: twice, faults: [...faults, ...again.slice(0, 1)] }))).toEqual([
      'Nothing tells when partition was taken off limiter-1.',
    ]);
  });

  const cases: [string, History, string[]][] = [
    [
      'a baseline of which the first 30 % are left',
      changed({ answers: whole.answers.filter(({ scheduledMs }) => scheduledMs < 300 || scheduledMs >= 1000) }),
      [
        'Of 3000 requests planned for limiter-1, 2790 are recorded.',
        'Of 3000 requests planned for limiter-control, 2790 are recorded.',
        'Of 3000 requests planned for limiter-2, 2790 are recorded.',
      ],
    ],
    [
      'one request less in both arms',
      changed({ answers: whole.answers.filter(({ scheduledMs }) => scheduledMs !== twin?.scheduledMs) }),
      [
        'Of 3000 requests planned for limiter-1, 2999 are recorded.',
        'Of 3000 requests planned for limiter-control, 2999 are recorded.',
      ],
    ],
    [
      'an answer that is told twice',
      changed({ answers: [...whole.answers, ...whole.answers.slice(0, 1)] }),
      ['Of 3000 requests planned for limiter-1, 3001 are recorded.'],
    ],
    [
      'a move that is told twice',
      changed({ breaker: [...whole.breaker.slice(0, 1), ...whole.breaker] }),
      ['What a line tells was told before.'],
    ],
    [
      'an answer that came before it was asked for',
      changed({ answers: [answer(20, { receivedMs: 10 }), ...whole.answers.slice(1)] }),
      ['An answer of limiter-1 at 20 ms was received before it was sent.'],
    ],
    ['faults of which none is told', changed({ faults: [] }), ['Nothing tells that partition was put on.']],
    [
      'an injection less',
      withoutFault(({ action, target }) => action === 'inject' && target === 'limiter-2'),
      ['Nothing tells when partition was put on limiter-2.'],
    ],
    [
      'a heal less',
      withoutFault(({ action, target }) => action === 'heal' && target === 'limiter-1'),
      ['Nothing tells when partition was taken off limiter-1.'],
    ],
    [
      'an instance of whose fault nothing is told',
      withoutFault(({ target }) => target === 'limiter-2'),
      ['Nothing tells when partition was put on limiter-2.', 'Nothing tells when partition was taken off limiter-2.'],
    ],
    [
      'a fault that was not planned',
      changed({ run: { ...whole.run, schedule: [] } }),
      ['A fault was put on, and none was planned.'],
    ],
    [
      'a cluster without its placement',
      failoverHistory({ placement: undefined }),
      ['Nothing tells which keys each master held.'],
    ],
  ];
  it('ask for no placement where all keys are with one master, as under Sentinel', () => {
    expect(gapsIn(failoverHistory({ placement: undefined, placed: false }))).toEqual([]);
  });

  it.each(cases)('tell of %s, and the verdict is unknown', (_name, history, gaps) => {
    expect(gapsIn(history)).toEqual(gaps);
    expect(verdictOf(history)).toBe('unknown');
  });

  it.each(['baseline', 'onset', 'fault', 'heal', 'recovered'] as const)(
    'tell that the line of %s is missing',
    (gone) => {
      const phases = whole.phases
        .filter(({ name }) => name !== gone)
        .map((phase, i, left) => ({ ...phase, endMs: left[i + 1]?.startMs ?? phase.endMs }));
      expect(gapsIn(changed({ phases }))).toEqual([`The line with which the phase ${gone} begins is missing.`]);
      expect(verdictOf(changed({ phases }))).toBe('unknown');
    },
  );

  it('tell of a repeated answer where an older lab did not say how many were planned', () => {
    const { planned: _, ...run } = whole.run;
    expect(gapsIn(changed({ run }))).toEqual([]);
    const twice = changed({ run, answers: [...whole.answers, ...whole.answers.slice(0, 2)] });
    expect(gapsIn(twice)).toEqual(['What 2 lines tell was told before.']);
  });
});

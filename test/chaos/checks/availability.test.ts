import { describe, expect, it } from 'vitest';
import { availability } from '../../../chaos/checks/availability.ts';
import { buildHistory, historyWith } from '../../support/history-builder.ts';
import { answer } from '../../support/history-events.ts';

const judge = (changes: Parameters<typeof answer>[1]) =>
  availability.judge(historyWith([answer(0), answer(1500, changes), answer(3000)]));

describe('the availability check', () => {
  it('passes when every request is answered, refusals included', () => {
    expect(judge({ status: 429 })).toEqual([
      {
        name: 'availability',
        phase: 'all',
        verdict: 'pass',
        measured: 0,
        limit: 0,
        unit: 'requests',
        detail: '3 requests answered',
      },
    ]);
  });

  it('fails a single 503, and tells where it came from', () => {
    expect(judge({ status: 503, source: null })).toMatchObject([
      { verdict: 'fail', measured: 1, detail: 'first: status 503 from limiter-1 at 1.500 s' },
    ]);
  });

  it('fails a single lost connection, and tells why', () => {
    expect(judge({ status: 0, source: null, error: 'other side closed' })).toMatchObject([
      { verdict: 'fail', measured: 1, detail: 'first: other side closed from limiter-1 at 1.500 s' },
    ]);
  });

  it.each([
    ['in time', 12_600],
    ['late, without a processor itself', 18_600],
  ])(
    'fails a hang for 10 s that is given up %s, unless the control had to wait for a tenth of that for one of its own answers',
    (_when, receivedMs) => {
      const hang = answer(2500, { status: 0, source: null, receivedMs, error: 'no answer within 10 s' });
      const judged = (slowestMs: number) => {
        const controlLatencyMs = (i: number) => (i === 8 ? slowestMs : 1);
        return availability.judge(buildHistory({ phases: { fault: { controlLatencyMs } }, answers: [hang] }));
      };
      expect(judged(900)).toMatchObject([{ verdict: 'fail', measured: 1 }]);
      expect(judged(1100)).toMatchObject([{ verdict: 'unknown', measured: 1 }]);
    },
  );

  it.each([100, 301, 400, 404])('fails a single %d, which is neither allowed nor denied', (status) => {
    expect(judge({ status })).toMatchObject([
      { verdict: 'fail', measured: 1, detail: `first: status ${status} from limiter-1 at 1.500 s` },
    ]);
  });

  it.each([200, 429])('fails a single %d of which nobody says that he decided it', (status) => {
    expect(judge({ status, source: null })).toMatchObject([
      { verdict: 'fail', measured: 1, detail: `first: status ${status} that nobody decided from limiter-1 at 1.500 s` },
    ]);
  });

  it('does not ask who decided where the target does not say', () => {
    const { run, ...rest } = historyWith([answer(0, { source: null })]);
    expect(availability.judge({ ...rest, run: { ...run, gives: [] } })).toMatchObject([{ verdict: 'pass' }]);
  });

  it('does not hold the control to it', () => {
    expect(judge({ instance: 'limiter-control', status: 503 })).toMatchObject([{ verdict: 'pass', measured: 0 }]);
  });

  it('is unknown without answers', () => {
    expect(availability.judge(historyWith([]))).toMatchObject([{ verdict: 'unknown', measured: 0 }]);
  });

  it('is unknown for a run that was cut off, unless it had failed by then', () => {
    expect(availability.judge(buildHistory({ complete: false }))).toMatchObject([{ verdict: 'unknown' }]);
    const failed = buildHistory({ complete: false, answers: [answer(0, { status: 500 })] });
    expect(availability.judge(failed)).toMatchObject([{ verdict: 'fail', measured: 1 }]);
  });
});

import { describe, expect, it } from 'vitest';
import { entryOf } from '../../../chaos/arena/arena.ts';
import { runChecks } from '../../../chaos/checks/check.ts';
import { checks } from '../../../chaos/checks/index.ts';
import { journalOf } from '../../../chaos/report/journal.ts';
import { limitText, marginText } from '../../../chaos/report/margin.ts';
import { storyOf } from '../../../chaos/report/story.ts';
import { buildHistory } from '../../support/history-builder.ts';
import { storeUse } from '../../support/history-events.ts';

const endedAt = '2026-11-24T04:00:10.000Z';

/** A partition from 1 to 5 s of a target that tells nothing. */
function judged(commandsAt: (atMs: number) => number) {
  const looks = Array.from({ length: 40 }, (_, i) => storeUse(commandsAt(i * 250), i * 250, 'redis'));
  const built = buildHistory({ storeUse: [...looks, storeUse(500)] });
  const history = { ...built, run: { ...built.run, gives: [] } };
  return { history, checks: runChecks(checks, history), endedAt, gaps: [], described: true };
}

describe('the recovery of a target that does not say who decided, in commands', () => {
  const back = judged((atMs) => atMs);
  const away = judged((atMs) => Math.min(atMs, 1000));

  it('has a limit that is the least that is asked for', () => {
    const [passed, failed] = [back, away].map((run) => run.checks.find(({ name }) => name === 'recovery'));
    expect(passed && [passed.verdict, limitText(passed), marginText(passed)]).toEqual([
      'pass',
      '≥ 1',
      '2,499 (249,900 %)',
    ]);
    expect(failed && [failed.verdict, limitText(failed), marginText(failed)]).toEqual(['fail', '≥ 1', '−1 (−100 %)']);
  });

  it('is told as no time, by the report and the arena', () => {
    const told = [back, away].map((run) => storyOf(run, journalOf(run.history, run.checks, endedAt)).happened.at(-1));
    expect(told).toEqual([
      'After the heal: Redis was asked from 7.3 to 9.8 s; what it decided the target does not say.',
      'After the heal: Redis was asked nothing from 7.3 to 9.8 s, though requests were allowed.',
    ]);
    const entry = entryOf({ target: 'a-limiter', directory: 'a-run', ...back, verdict: 'pass' });
    expect(entry.recoveryMs).toBeNull();
  });
});

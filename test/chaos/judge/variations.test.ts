// No sound run fails, whatever happens to it or to its record that is not the limiter's doing.

import { describe, expect, it } from 'vitest';
import { runChecks, worstOf } from '../../../chaos/checks/check.ts';
import { checks } from '../../../chaos/checks/index.ts';
import { shapeNames } from '../../support/run-shapes.ts';
import { variations } from '../../support/variations.ts';

const seeds = [11, 12, 13, 14];
/**
 * Nothing can be told of these: the record is not whole, a breaker opened for a second of a short baseline, a few late
 * answers of 500 hide their p99, a slow control makes any p99 of so few doubtful, or a clock hides when a breaker opened.
 */
const untold = [
  'a request that no arm recorded',
  'a line told twice',
  'an answer dated before its request',
  'a link that hangs for 30 ms',
  'three stalls of an instance',
  'stalls of the control',
  'clocks of the instances 50 ms ahead',
];

describe.each(variations)('a sound run with $name', ({ name, run, fails }) => {
  it('does not fail, of any shape', () => {
    const verdicts: string[] = [];
    const failed: string[] = [];
    for (const shape of shapeNames) {
      for (const seed of seeds) {
        const results = runChecks(checks, run(shape, seed));
        const wrong = results.filter((it) => it.verdict === 'fail' && it.name !== fails);
        failed.push(...wrong.map((it) => `${shape} ${seed}: ${it.name} ${it.phase}: ${it.detail}`));
        verdicts.push(worstOf(results.filter((it) => it.name !== fails).map(({ verdict }) => verdict)));
      }
    }
    expect(failed).toEqual([]);
    const unknown = verdicts.filter((verdict) => verdict === 'unknown').length;
    if (!untold.includes(name)) expect(unknown).toBeLessThan(verdicts.length / 4);
  });
});

it('are 500 at least', () => {
  expect(variations.length * shapeNames.length * seeds.length).toBeGreaterThanOrEqual(500);
});

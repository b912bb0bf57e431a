import { describe, expect, it } from 'vitest';
import { Version1 } from '../../../chaos/report/version-1.ts';
import { usualBounds } from '../../support/history-builder.ts';

const run = {
  type: 'run',
  version: 1,
  scenario: 'baseline',
  fault: null,
  bounds: usualBounds,
  instances: [
    { name: 'limiter-1', control: false, tellsBreaker: true },
    { name: 'limiter-control', control: true, tellsBreaker: false },
  ],
};

describe('the run line of version 1', () => {
  it('is read as one of today, whose instances report what they told', () => {
    expect(new Version1(run).upgraded(run)).toEqual({
      type: 'run',
      version: 2,
      scenario: 'baseline',
      gives: ['source', 'remaining', 'breaker'],
      schedule: [],
      bounds: usualBounds,
      instances: [
        { name: 'limiter-1', control: false, reportsBreaker: true },
        { name: 'limiter-control', control: true, reportsBreaker: false },
      ],
    });
  });

  it.each([['all'], [[null, 'limiter-1', { name: 'limiter-1' }]]])(
    'keeps instances that it cannot read, as %j, for the shape to refuse',
    (instances) => {
      expect(new Version1(run).upgraded({ ...run, instances })).toMatchObject({ instances });
    },
  );
});

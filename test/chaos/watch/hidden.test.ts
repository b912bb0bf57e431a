import { expect, it } from 'vitest';
import type { Instance } from '../../../chaos/environment.ts';
import { targetsOf } from '../../../chaos/faults/fault.ts';
import type { Reach } from '../../../chaos/scenario.ts';
import { isHiddenAt } from '../../../chaos/watch/observer.ts';

const instances = ['limiter-1', 'limiter-2'].map((name) => ({ name, control: false }) as Instance);

/** The instances at which the one is not seen for the other. */
function hidden(one: Reach, other: Reach): string[] {
  const targets = targetsOf(one, { instances });
  const others = targetsOf(other, { instances });
  return instances.flatMap(({ name }) =>
    targets.some((target) => others.some((it) => isHiddenAt(name, target, it))) ? [name] : [],
  );
}

it.each<[Reach, Reach, string[]]>([
  ['store-links', 'one-store-link', ['limiter-1']],
  ['shared-store', 'store-links', ['limiter-1', 'limiter-2']],
  ['front-links', 'one-front-link', ['limiter-1']],
  ['front-links', 'store-links', []],
  ['one-front-link', 'shared-store', []],
  ['one-instance', 'store-links', ['limiter-1']],
  ['one-instance', 'front-links', ['limiter-1']],
  ['observers', 'shared-store', []],
  ['observers', 'one-instance', []],
])('a fault of %s and one of %s hide each other at %j', (one, other, names) => {
  expect(hidden(one, other)).toEqual(names);
  expect(hidden(other, one)).toEqual(names);
});

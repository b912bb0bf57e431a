import { describe, expect, it } from 'vitest';
import { UsageError } from '../../chaos/errors.ts';
import { scenarios } from '../../scenarios/index.ts';
import { type Selection, selected } from '../../scenarios/selection.ts';

const names = (selection: Selection) => selected(scenarios, selection).map(({ name }) => name);
const all = scenarios.map(({ name }) => name);

describe('the scenarios of a suite', () => {
  it('are all of them, in their order, when nothing is said', () => {
    expect(names({})).toEqual(all);
  });

  it('are those of a family', () => {
    expect(selected(scenarios, { family: 'network' }).every(({ family }) => family === 'network')).toBe(true);
    expect(names({ family: 'steady' })).toContain('baseline');
  });

  it('are those in whose name or hypothesis a text occurs, whatever its case', () => {
    expect(names({ grep: 'KILL' })).toEqual(expect.arrayContaining(['redis-kill', 'cluster-master-kill']));
    expect(names({ grep: 'one bucket per key' })).toEqual(['baseline']);
  });

  it('are by shares all of them, each once', () => {
    const shares = [1, 2, 3, 4].map((index) => names({ shard: `${index}/4` }));
    expect(shares.flat().toSorted()).toEqual(all.toSorted());
    expect(
      Math.max(...shares.map(({ length }) => length)) - Math.min(...shares.map(({ length }) => length)),
    ).toBeLessThan(2);
  });

  it.each<[Selection, string]>([
    [{ family: 'earthquakes' }, '--family is "earthquakes"; allowed: steady, load, network'],
    [{ family: '' }, '--family is ""; allowed: '],
    [
      { grep: 'no such thing', family: 'network' },
      'No scenario is left by --family "network" and --grep "no such thing".',
    ],
    ...['0/4', '5/4', '4', '1/0', '-1/4', '1/4/2', 'a/b', '', '1/101'].map((shard): [Selection, string] => [
      { shard },
      `--shard is "${shard}"; allowed: K/N, the K-th of N shares`,
    ]),
    [{ shard: '100/100' }, `--shard is "100/100", and there are only ${scenarios.length} scenarios.`],
  ])('are none, with one clear error: %j', (selection, message) => {
    expect(() => names(selection)).toThrow(UsageError);
    expect(() => names(selection)).toThrow(message);
  });
});

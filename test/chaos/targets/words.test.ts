import { describe, expect, it } from 'vitest';
import { wordsOf } from '../../../chaos/targets/words.ts';

describe('the words of a command line', () => {
  it.each([
    ['node api.js', ['node', 'api.js']],
    ['  node   api.js  ', ['node', 'api.js']],
    [`node 'my api.js' "a b" ''`, ['node', 'my api.js', 'a b', '']],
    ['node a\\ b --x="y z"', ['node', 'a b', '--x=y z']],
    ['python3 -m http.server {port}', ['python3', '-m', 'http.server', '{port}']],
    [`sh -c 'cd x && exec ./y; $HOME'`, ['sh', '-c', 'cd x && exec ./y; $HOME']],
    ['say "a \\"b\\" \\\\ \\n"', ['say', 'a "b" \\ \\n']],
  ])('of %s are those that a shell would make', (line, words) => {
    expect(wordsOf(line)).toEqual(words);
  });

  it.each([
    ['', 'names no program'],
    ['   ', 'names no program'],
    ["node 'api.js", 'has a quote that is not closed'],
    ['node api.js "', 'has a quote that is not closed'],
    ['cd x && node y', 'has &, which only a shell understands'],
    ['node x | tee y', 'has |, which only a shell understands'],
    ['node x > y', 'has >, which only a shell understands'],
    ['node x;', 'has ;, which only a shell understands'],
    ['node $FILE', 'has $F, which only a shell understands'],
    ['node $(which x)', 'has $(, which only a shell understands'],
  ])('of %j are refused: it %s', (line, why) => {
    expect(() => wordsOf(line)).toThrow(why);
  });
});

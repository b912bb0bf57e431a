import { describe, expect, it } from 'vitest';
import { wrapped } from '../../chaos/printable.ts';

describe('a text on lines', () => {
  it.each([
    ['one two three', 7, ['one two', 'three']],
    ['one two', 80, ['one two']],
    ['abcdefgh ij', 3, ['abc', 'def', 'gh', 'ij']],
    ['', 10, ['']],
    ['abc', 0, ['a', 'b', 'c']],
    ['one two', Number.POSITIVE_INFINITY, ['one two']],
    ['one\ntwo', 80, ['one two']],
  ])('%j of %j characters', (text, width, lines) => {
    expect(wrapped(text, width)).toEqual(lines);
  });
});

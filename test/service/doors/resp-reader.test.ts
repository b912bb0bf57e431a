import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Command, CommandReader, ProtocolError } from '../../../service/doors/resp/command-reader.ts';
import { wordsOf } from '../../../service/doors/resp/inline.ts';

const written = (command: readonly string[]) =>
  `*${command.length}\r\n${command.map((text) => `$${text.length}\r\n${text}\r\n`).join('')}`;

/** All commands in the pieces, or what is against the protocol. */
function readAll(pieces: readonly string[], isKnown = true): Command[] | string {
  const reader = new CommandReader();
  const commands: Command[] = [];
  try {
    for (const piece of pieces) {
      reader.add(Buffer.from(piece, 'latin1'));
      for (let command = reader.next(isKnown); command; command = reader.next(isKnown)) commands.push(command);
    }
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
  return commands;
}

describe('the reader of commands', () => {
  it('reads the same commands wherever their pieces end', () => {
    const argument = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
    const command = fc.array(argument, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 8 }), fc.array(fc.nat(40)), (commands, cuts) => {
        const text = commands.map(written).join('');
        const pieces: string[] = [];
        let at = 0;
        for (const cut of cuts) {
          pieces.push(text.slice(at, at + cut));
          at += cut;
        }
        expect(readAll([...pieces, text.slice(at)])).toEqual(commands);
      }),
    );
  });

  it('reads lines typed by hand between the others, and passes over what is no command', () => {
    expect(
      readAll(['PING\r\nPING "a b"\n\r\n*0\r\n*-1\r\n*-5\r\n', written(['ECHO', '']), '  ', 'QUIT\r', '\n']),
    ).toEqual([['PING'], ['PING', 'a b'], ['ECHO', ''], ['QUIT']]);
  });

  it.each([
    ['*1\r\n$536870912\r\n', 'invalid bulk length'],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\n$-5\r\n', 'invalid bulk length'],
    ['*1\r\n$01\r\n', 'invalid bulk length'],
    ['*1\r\n$\r\n', 'invalid bulk length'],
    ['*1025\r\n', 'invalid multibulk length'],
    ['*99999999999999999999\r\n', 'invalid multibulk length'],
    ['*x\r\n', 'invalid multibulk length'],
    ['*-0\r\n', 'invalid multibulk length'],
    ['*-01\r\n', 'invalid multibulk length'],
    ['*1\r\nPING\r\n', "expected '$', got 'P'"],
    ['*1\r\n\0', "expected '$', got '?'"],
    ['a'.repeat(16_385), 'too big inline request'],
    [`*${'1'.repeat(16_385)}`, 'too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(16_385)}`, 'too big bulk count string'],
    [`*6\r\n${`$16384\r\n${'a'.repeat(16_384)}\r\n`.repeat(5)}`, 'too big multibulk request'],
    ['PING "\r\n', 'unbalanced quotes in request'],
    ['PING "a"b\r\n', 'unbalanced quotes in request'],
  ])('stops at what is against the protocol: %j', (text, message) => {
    expect(readAll([text])).toBe(message);
  });

  it('lets who has not said the password send only as much as that takes', () => {
    expect(readAll(['*11\r\n'], false)).toBe('unauthenticated multibulk length');
    expect(readAll(['*1\r\n$1025\r\n'], false)).toBe('unauthenticated bulk length');
  });

  it('looks at nothing twice, though a command come byte by byte', () => {
    const text = written(Array.from({ length: 1000 }, (_, i) => String(i))) + 'a'.repeat(16_000);
    const startedMs = performance.now();
    expect(readAll([...text])).toHaveLength(1);
    expect(performance.now() - startedMs).toBeLessThan(10_000); // 30 ms; minutes where each byte were dear
  });
});

describe('a line typed by hand', () => {
  it.each([
    ['', []],
    ['  a\tb ', ['a', 'b']],
    ['"a b" \'c d\'', ['a b', 'c d']],
    [String.raw`"\x41\n\"\q" 'it\'s'`, ['A\n"q', "it's"]],
    ['"" \'\'', ['', '']],
    [`user:"a b" x'c d'`, ['user:a b', 'xc d']],
    [String.raw`'a\' b`, undefined],
    ['a"b"c', undefined],
    ['  "a', undefined],
    ['a"b', undefined],
    ['"a', undefined],
    ["'a'b", undefined],
  ])('is words as Redis reads them: %s', (line, words) => {
    expect(wordsOf(line)).toEqual(words);
  });
});

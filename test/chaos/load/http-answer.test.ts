import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerIn } from '../../../chaos/load/http-answer.ts';

const text = (...lines: string[]) => lines.join('\r\n');
const sized = text('HTTP/1.1 200 OK', 'X-RateLimit-Remaining:  7 ', 'Content-Length: 5', '', 'hello');
const chunked = text(
  'HTTP/1.1 429 Too Many',
  'Transfer-Encoding: chunked',
  '',
  '5;a=b',
  'he\r\no',
  'A',
  '0123456789',
  '0',
);
const answers = {
  'of a length': [sized, 200],
  'without a body': [text('HTTP/1.1 204 No Content', 'content-length: 9', '', ''), 204],
  'in chunks': [text(chunked, '', ''), 429],
  'in chunks, with a trailer': [text(chunked, 'sum: 1', '', ''), 429],
  'after an interim one': [text('HTTP/1.1 103 Early Hints', 'link: </a>', '', sized), 200],
  'of HTTP/1.0': [text('HTTP/1.0 200 OK', 'Content-Length: 0', '', ''), 200],
  'without a reason': [text('HTTP/1.1 503', 'Content-Length: 0', '', ''), 503],
} as const;

describe.each(Object.entries(answers))('an answer %s', (_name, [received, status]) => {
  it('is read once it is whole, and not before', () => {
    for (let length = 0; length < received.length; length++) {
      expect(answerIn(received.slice(0, length), false), received.slice(0, length)).toBeUndefined();
    }
    expect(answerIn(received, false)).toMatchObject({ status, length: received.length });
  });

  it('ends where it ends, whatever comes after it', () => {
    fc.assert(
      fc.property(fc.string(), (more) => {
        expect(answerIn(received + more, false)).toMatchObject({ status, length: received.length });
      }),
      { seed: 42 },
    );
  });
});

describe('an answer', () => {
  const answer = answerIn(sized, false);

  it('has headers of any case, without the blanks around them', () => {
    expect([answer?.header('x-ratelimit-remaining'), answer?.header('content-length')]).toEqual(['7', '5']);
    expect([answer?.header('remaining'), answer?.header('hello')]).toEqual([undefined, undefined]);
  });

  it('has a body, in UTF-8, whatever tells its length', () => {
    const bodyOf = (received: string, ended = false) => answerIn(received, ended)?.body();
    const latin1 = Buffer.from('{"left":"één"}').toString('latin1');
    expect([
      bodyOf(sized),
      bodyOf(text(chunked, 'sum: 1', '', '')),
      bodyOf(text('HTTP/1.1 103 Early Hints', '', sized)),
      bodyOf(text('HTTP/1.1 200 OK', '', 'hel'), true),
      bodyOf(text('HTTP/1.1 200 OK', `Content-Length: ${latin1.length}`, '', latin1)),
      bodyOf(text('HTTP/1.1 204 No Content', '', '')),
    ]).toEqual(['hello', 'he\r\no0123456789', 'hello', 'hel', '{"left":"één"}', '']);
  });

  it('is as long as its connection when it does not say how long', () => {
    const received = text('HTTP/1.1 200 OK', '', 'hel');
    expect(answerIn(received, false)).toBeUndefined();
    expect(answerIn(received, true)).toMatchObject({ status: 200, length: received.length, last: true });
  });

  it.each([
    ['HTTP/1.1', '', false],
    ['HTTP/1.1', 'Connection: keep-alive', false],
    ['HTTP/1.1', 'Connection: Close', true],
    ['HTTP/1.1', 'Connection: X-Trace, Close', true],
    ['HTTP/1.1', 'Connection: X-Trace\r\nConnection: close', true],
    ['HTTP/1.1', 'Connection: x-close', false],
    ['HTTP/1.0', '', true],
    ['HTTP/1.0', 'Connection: Keep-Alive', false],
    ['HTTP/1.0', 'Connection: Keep-Alive, X-Trace', false],
  ])('of %s with "%s" is the last on its connection: %s', (version, connection, last) => {
    const received = text(`${version} 200 OK`, 'Content-Length: 0', ...(connection ? [connection] : []), '', '');
    expect(answerIn(received, false)?.last).toBe(last);
  });

  it.each([
    ['+PONG\r\n', 'no HTTP/1.1 answer: "+PONG\\r\\n"'],
    ['HTTP/2 200\r\n\r\n', 'no HTTP/1.1 answer: "HTTP/2 200\\r\\n\\r\\n"'],
    ['HTTP/1.1 20 OK\r\n\r\n', 'no HTTP/1.1 answer: "HTTP/1.1 20 OK\\r\\n\\r\\n"'],
    [text('HTTP/1.1 200 OK', 'Content-Length: -1', '', ''), 'content-length: -1'],
    [text('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', 'z', ''), 'size of a chunk: z'],
    [`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(2 ** 20)}`, 'an answer of more than 1048576 bytes'],
  ])('is not %j', (received, message) => {
    expect(() => answerIn(received, false)).toThrow(new Error(message));
  });
});

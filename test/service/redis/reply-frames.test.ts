import { describe, expect, it } from 'vitest';
import { StoreError } from '../../../service/core/store.ts';
import { type Reply, ReplyFrames } from '../../../service/redis/reply-frames.ts';

/** The replies in `bytes`, fed `size` at a time, and why the reading ended, if it did. */
function framesOf(bytes: string, size = bytes.length): { replies: Reply[]; fault: string | undefined } {
  const replies: Reply[] = [];
  const frames = new ReplyFrames((reply) => replies.push(reply));
  try {
    for (let at = 0; at < bytes.length; at += size) frames.read(Buffer.from(bytes.slice(at, at + size), 'latin1'));
  } catch (error) {
    if (!(error instanceof StoreError) || error.reason !== 'protocol') throw error;
    return { replies, fault: error.message };
  }
  return { replies, fault: undefined };
}

const reply = (kind: Reply['kind'], text: string, length = 0, hasNull = false): Reply => ({
  kind,
  text,
  length,
  hasNull,
});

describe('ReplyFrames', () => {
  const conversation =
    '+OK\r\n-ERR no\r\n:5\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n*3\r\n:1\r\n*2\r\n$-1\r\n+x\r\n-e\r\n';
  const replies = [
    reply('status', 'OK'),
    reply('error', 'ERR no'),
    reply('number', '5'),
    reply('string', '3', 3),
    reply('null', '-1', 0, true),
    reply('null', '-1', 0, true),
    reply('array', '0'),
    reply('string', '0'),
    reply('array', '3', 3, true),
  ];

  it.each([1, 2, 3, 7, 1000])('finds the same replies in pieces of %i bytes', (size) => {
    expect(framesOf(conversation, size)).toEqual({ replies, fault: undefined });
  });

  it.each([
    ['a byte that begins no reply', 'HTTP/1.1 400\r\n', 'no reply of Redis: it begins with the byte 0x48'],
    ['a TLS alert', '\x15\x03\x01', 'no reply of Redis: it begins with the byte 0x15, as where TLS is spoken'],
    ['a push message', '>1\r\n_\r\n', 'no reply of Redis: it begins with the byte 0x3e'],
    ['a length that is no number', '*x\r\n', 'a length that is no number'],
    ['a negative length', '$-2\r\n', 'a length that is no number'],
    ['a string longer than it says', '$1\r\nab\r\n', 'a string longer than it says'],
    ['a line that ends otherwise', '+OK\rx\n', 'a line that does not end as lines do'],
    ['a line without end', `+${'x'.repeat(20_000)}`, 'a line of more than 16384 bytes'],
    ['a string announced as too long', '$1048577\r\n', 'a reply of more than 1048576 bytes'],
    ['an array announced as too long', '*1000000000\r\n', 'a reply of more than 1048576 bytes'],
    ['arrays that are too long together', '*300000\r\n*300000\r\n', 'a reply of more than 1048576 bytes'],
    ['arrays too deep', '*1\r\n'.repeat(17), 'arrays more than 16 deep'],
    [
      'an array that never ends',
      `*300000\r\n${'$20\r\n01234567890123456789\r\n'.repeat(50_000)}`,
      'a reply of more than 1048576 bytes',
    ],
  ])('refuses %s', (_what, bytes, fault) => {
    expect(framesOf(bytes)).toEqual({ replies: [], fault: `what answers sent ${fault}` });
    expect(framesOf(bytes, 5)).toEqual({ replies: [], fault: `what answers sent ${fault}` });
  });

  it('takes the slots of a cluster of a thousand masters, and any number of replies one after the other', () => {
    const node = (port: number) => `*4\r\n$14\r\n10.123.123.123\r\n:${port}\r\n$40\r\n${'f'.repeat(40)}\r\n*0\r\n`;
    const ranges = Array.from(
      { length: 1000 },
      (_, i) => `*4\r\n:${i * 16}\r\n:${i * 16 + 15}\r\n${node(7000)}${node(7001)}`,
    );
    const slots = `*1000\r\n${ranges.join('')}`;
    expect(slots.length).toBeGreaterThan(150_000);
    expect(framesOf(slots.repeat(20), 65_536)).toEqual({
      replies: Array.from({ length: 20 }, () => reply('array', '1000', 1000)),
      fault: undefined,
    });
  });
});

// The body of a request, as JSON. Nothing is read of one that is announced as too large or as something else, and no more
// of one that turns out to be too large.

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { announcesBody } from '../unread-body.ts';
import { badRequest, Refusal } from './refusal.ts';

/** Enough for every request but one that holds many. */
const usualBytesMax = 16_384;

/**
 * Resolves to the value, or to undefined when the client went before it had sent all. Rejects with a `Refusal`. A body
 * that does not come ends with the server's own time limits.
 */
export async function readJson(
  request: IncomingMessage,
  response: ServerResponse,
  bytesMax: number = usualBytesMax,
): Promise<unknown> {
  refuseUnfit(request, bytesMax);
  if (!announcesBody(request)) throw notJson('is missing');
  if (asksToContinue(request)) response.writeContinue();
  const bytes = await readBytes(request, bytesMax);
  return bytes === undefined ? undefined : jsonIn(bytes);
}

/** By what its headers say. */
function refuseUnfit({ headers }: IncomingMessage, bytesMax: number): void {
  if (Number(headers['content-length'] ?? 0) > bytesMax) throw tooLarge(bytesMax);
  const { 'content-type': type, 'content-encoding': encoding } = headers;
  if (type === undefined || !jsonType.test(type)) {
    const is = type === undefined ? 'missing' : JSON.stringify(type);
    const detail = `Content-Type is ${is}; allowed: application/json, in UTF-8.`;
    throw new Refusal(415, 'Unsupported media type', detail, { headers: { Accept: 'application/json' } });
  }
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    const detail = `Content-Encoding is ${JSON.stringify(encoding)}; allowed: none.`;
    throw new Refusal(415, 'Unsupported media type', detail, { headers: { 'Accept-Encoding': 'identity' } });
  }
}

const jsonType = /^application\/json[ \t]*(?:;[ \t]*(?:charset="?utf-?8"?)?[ \t]*)*$/i;

/** The client waits for a word before it sends its body (RFC 9110 §10.1.1). */
function asksToContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.expect?.toLowerCase() === '100-continue';
}

function readBytes(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const read = (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= bytesMax) return;
      request.off('data', read).pause();
      reject(tooLarge(bytesMax));
    };
    request.on('data', read);
    // Each comes once at the most. A listener by `once` would cost several times as much.
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    request.on('close', () => resolve(undefined)); // before its end: the client is gone
    request.on('error', ignore); // and so is told by 'close'
  });
}

function ignore(): void {}

function tooLarge(bytesMax: number): Refusal {
  return new Refusal(
    413,
    'Content too large',
    `The body is longer than ${bytesMax} bytes, the most that is allowed here.`,
  );
}

function jsonIn(bytes: Buffer): unknown {
  if (bytes.length === 0) throw notJson('is missing');
  if (!isUtf8(bytes)) throw notJson('is not UTF-8');
  const text = bytes.toString();
  try {
    return JSON.parse(text.startsWith(byteOrderMark) ? text.slice(1) : text); // RFC 8259 §8.1
  } catch (error) {
    throw notJson(`is not JSON (${(error as Error).message})`);
  }
}

const byteOrderMark = '\ufeff';

function notJson(is: string): Refusal {
  return badRequest([{ field: 'body', detail: `body ${is}; allowed: an object in JSON, in UTF-8` }]);
}

// Stands between a socket and ioredis's parser, on every connection: bytes that are no answer to a command end the
// connection instead of reaching a parser that takes the process down, answers the next command with them, or keeps
// them all. (A null that nobody asked for is a TypeError in ioredis 6.0, and a reply too many shifts all that follow.)
//
//   socket ─▶ guard ─▶ ioredis
//               └─ a reply too many, too long, or none of Redis's: the socket is destroyed, with the reason

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { StoreError } from '../core/store.ts';
import { storeErrorOf } from './errors.ts';
import { type Reply, ReplyFrames } from './reply-frames.ts';

/** `messages`: a Sentinel's announcements come without a command; they are arrays of three strings. */
export type Expects = 'replies' | 'messages';

/** To be called before the socket has read anything. Nothing that comes after a misfit reaches ioredis. */
export function guard<AnySocket extends Socket>(socket: AnySocket, expects: Expects): AnySocket {
  if (socket instanceof TLSSocket) {
    socket.once('connect', () => handshaking.add(socket));
    socket.once('secureConnect', () => handshaking.delete(socket));
  }
  let unanswered = 0;
  const frames = new ReplyFrames((reply) => {
    unanswered--;
    if (expects === 'messages') checkMessage(reply);
    else if (unanswered < 0) throw unsolicited(reply);
  });
  const write = socket.write;
  const push = socket.push;
  // ioredis writes each command by itself; the rest of the arguments is passed on as it is.
  socket.write = ((...args: Parameters<typeof write>) => {
    unanswered++;
    return write.apply(socket, args);
  }) as typeof write;
  // Through here goes all that the socket reads, decrypted where it is TLS.
  socket.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (socket.destroyed && chunk) return false;
    try {
      if (chunk) frames.read(chunk);
    } catch (error) {
      socket.destroy(storeErrorOf(error));
      return false;
    }
    return push.call(socket, chunk, encoding);
  };
  return socket;
}

const handshaking = new WeakSet<Socket>();

/** Why there is no connection. While there is one, and no TLS on it yet, it is for that: a plain port waits for more, and says nothing. */
export function connectionErrorOf(error: Error, socket: Socket | undefined): StoreError {
  if (socket && handshaking.has(socket)) return new StoreError('tls', `TLS was not agreed on: ${error.message}`);
  return storeErrorOf(error);
}

/** Redis says so too why it does not want a connection, as with too many clients. */
function unsolicited({ kind, text }: Reply): StoreError {
  if (kind === 'error') return storeErrorOf(new Error(text));
  return new StoreError('protocol', 'what answers sent a reply that no command asked for');
}

/** ioredis reads on, unasked, in whatever comes on a connection that listens for messages. */
function checkMessage({ kind, text, length, hasNull }: Reply): void {
  const fits =
    kind === 'error' || (kind === 'status' && text === 'OK') || (kind === 'array' && length === 3 && !hasNull);
  if (!fits) throw new StoreError('protocol', 'what answers sent something that is no message');
}

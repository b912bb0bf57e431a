// The HTTP/2 connections of a gRPC server: what they may hold, and how they end. @grpc/grpc-js makes them, and neither
// limits their headers, nor how slowly a call comes in or its answer is read, nor tells clients in time that it stops. It
// also does not see all of their calls, and so cannot tell which of them are idle.

import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/** Of all headers of a call. */
const headerBytesMax = 16_384;
/** From the first byte of a call to its last one; and at least as long, from its last answer until that is read. */
const slowMsMax = 10_000;
/** Clients that have heard that the server stops may have sent calls before; a round trip and more. */
const noticeMs = 500;
const lastStreamIdMax = 2 ** 31 - 1;

interface Use {
  /** That are under way. */
  calls: number;
  /** Begins again when the last of them is over. */
  readonly idle: NodeJS.Timeout;
}

export class Connections {
  readonly #sessions = new Map<ServerHttp2Session, Use>();

  /** `http2`: has no connection yet. `idleMsMax`: how long a connection is kept on which nothing is asked. */
  constructor(http2: Http2Server, idleMsMax: number) {
    http2.updateSettings({ maxHeaderListSize: headerBytesMax });
    http2.on('session', (session) => {
      const use = { calls: 0, idle: setTimeout(() => use.calls === 0 && session.close(), idleMsMax) };
      this.#sessions.set(session, use);
      session.once('close', () => {
        clearTimeout(use.idle);
        this.#sessions.delete(session);
      });
      session.socket.once('end', () => session.close()); // its client sends no more, and hears what it has asked for
    });
    http2.on('stream', (stream, _headers, _flags, words) => {
      // Until a client says that it has heard what headers may be, which it need not, HTTP/2 lets it send longer ones.
      if (stream.session?.pendingSettingsAck && headerBytesOf(words) > headerBytesMax)
        return stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      let isUnread = false;
      const late = setTimeout(() => {
        if (isUnread || !stream.readableEnded || !stream.headersSent) stream.close(constants.NGHTTP2_CANCEL);
        isUnread = stream.writableEnded; // what is answered at length goes on
        late.refresh();
      }, slowMsMax);
      const use = this.#sessions.get(stream.session as ServerHttp2Session);
      if (use) use.calls++;
      stream.once('close', () => {
        clearTimeout(late);
        if (use && --use.calls === 0) use.idle.refresh();
      });
    });
  }

  /**
   * Tells all clients to send no more, answers what they have sent before they heard of it, and closes. What is left after
   * `graceMs` is cut off.
   */
  async close(graceMs: number): Promise<void> {
    const closed = [...this.#sessions.keys()].map(
      (session) => new Promise((resolve) => session.once('close', resolve)),
    );
    for (const session of this.#sessions.keys()) {
      if (!session.destroyed) session.goaway(constants.NGHTTP2_NO_ERROR, lastStreamIdMax); // it may not have told its end yet
    }
    const notice = setTimeout(() => this.#each((session) => session.close()), Math.min(noticeMs, graceMs));
    const force = setTimeout(() => this.#each((session) => session.destroy()), graceMs);
    await Promise.all(closed);
    clearTimeout(notice);
    clearTimeout(force);
  }

  #each(end: (session: ServerHttp2Session) => void): void {
    for (const session of this.#sessions.keys()) end(session);
  }
}

/** As HTTP/2 counts them: https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2. `words`: names and values in turn. */
function headerBytesOf(words: readonly string[]): number {
  return words.reduce((bytes, word) => bytes + word.length, 16 * words.length);
}

/** The one that a gRPC server with one injector has made. It tells nobody. */
export function http2ServerOf(server: Server): Http2Server {
  const [http2] = (Reflect.get(server, 'http2Servers') as Map<Http2Server, unknown>).keys();
  if (!http2) throw new Error('the gRPC server has no HTTP/2 server');
  return http2;
}

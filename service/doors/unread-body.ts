// A request whose body nobody reads: answered at once, then closed, since what is left of the body would be taken for the
// next request. Closed gently: a socket that is destroyed with bytes unread resets the connection, and a client that is
// still sending would lose the answer.

import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long its client has to read the answer and to close. */
const lingerMs = 1000;

export function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/**
 * Resolves when the request can be answered: once what came of its body with its headers is read past. For the rest nobody
 * waits.
 */
export async function withoutBody(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!announcesBody(request)) return;
  await new Promise(setImmediate);
  if (!request.complete) closeAfterAnswer(request, response);
}

/** Lets the answer be the connection's last. No more of the body is read than has come by then. */
function closeAfterAnswer({ socket }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Connection', 'close');
  // What the server calls when the last answer is written.
  socket.destroySoon = () => {
    socket.end();
    const over = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(over));
  };
}

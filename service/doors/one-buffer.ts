// A connection that is read into the one buffer of all such connections. Node's own way allocates 64 KiB for each read,
// a tenth of the work for a request. Its `onread` does without, for sockets that are made with it; so one that was accepted
// gives its handle to one that is.

import { Socket, type SocketConstructorOpts } from 'node:net';

/** As much as Node reads at once. */
const buffer = Buffer.allocUnsafeSlow(65_536);

/**
 * The same connection; the socket that is passed in is of no use any more. `read` is given each chunk, which holds until
 * it returns, and the stream none. A socket without a handle, as of a client that has gone, is given back as it is.
 */
export function readIntoOneBuffer(accepted: Socket, read: (chunk: Buffer) => void): Socket {
  const from = accepted as unknown as { _handle: SocketConstructorOpts['handle'] | null };
  const { _handle: handle } = from;
  if (!handle) return accepted;
  from._handle = null;
  accepted.destroy();
  const callback = (length: number) => {
    read(buffer.subarray(0, length));
    return true;
  };
  return new Socket({ handle, allowHalfOpen: accepted.allowHalfOpen, onread: { buffer, callback } });
}

// The value of a header, as Node reads it: each byte is a character (latin1), whereas clients mostly write UTF-8. A key or a
// path in it is the same text whichever way it comes. A target has none but ASCII: Node answers others 400.
//
//   bytes c3 a9 ─▶ Ã© as Node reads it ─▶ é        byte e9 ─▶ é, which is no UTF-8 and stays

import { isUtf8 } from 'node:buffer';

/** What the bytes say as UTF-8, or else as latin1. */
export function textOfBytes(bytes: string): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  return isUtf8(buffer) ? buffer.toString() : bytes;
}

/** The text in UTF-8, as Node reads it. */
export function bytesOfText(text: string): string {
  return Buffer.from(text).toString('latin1');
}

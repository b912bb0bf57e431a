// A key as it stands in the name of a bucket.

import { createHash } from 'node:crypto';
import { keyLengthMax } from './client-key.ts';

const hashed = 'sha256:';

/**
 * A key that is too long for a name is hashed, and one with half of a surrogate pair, which has no UTF-8: in Redis, all such
 * keys would be one. A client may have written it. So is one that looks like a hash: it is no other one's.
 */
export function bucketKeyOf(key: string): string {
  if (key.length <= keyLengthMax && key.isWellFormed() && !key.startsWith(hashed)) return key;
  return `${hashed}${createHash('sha256').update(key, 'utf16le').digest('base64url')}`;
}

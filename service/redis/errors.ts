// From what Redis, ioredis or the operating system says to the reason that the metric shows.

import { StoreError, type StoreErrorReason } from '../core/store.ts';

/** The first word of a Redis error reply: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors */
const replyReasons: Readonly<Record<string, StoreErrorReason>> = {
  LOADING: 'loading',
  READONLY: 'readonly',
  MASTERDOWN: 'masterdown',
  NOREPLICAS: 'noreplicas',
  OOM: 'oom',
  MISCONF: 'misconf',
  CLUSTERDOWN: 'clusterdown',
  TRYAGAIN: 'clusterdown',
  BUSY: 'busy',
  NOSCRIPT: 'noscript',
  NOAUTH: 'noauth',
  WRONGPASS: 'noauth',
  NOPERM: 'noperm',
  WRONGTYPE: 'wrongtype',
  DENIED: 'noauth', // protected mode
  MOVED: 'config', // a node of a cluster, where the settings name a single Redis: ioredis follows it in a cluster
  ASK: 'config',
  CROSSSLOT: 'config',
};

/** Redis errors without a word of their own, and what ioredis says of Sentinels. */
const phrases: readonly (readonly [RegExp, StoreErrorReason])[] = [
  [/max(imum)? number of clients/i, 'maxclients'],
  [/The user executing the script can/, 'noperm'], // a right that the script needs
  [/^Too many Cluster redirections/, 'clusterdown'],
  [/Command timed out/, 'timeout'], // of a Sentinel: our own calls have deadlines of ours
  [/DB index|SELECT is not allowed|successfully, but got an invalid reply: null|No such master/i, 'config'],
  [/cluster support disabled|unknown command/i, 'config'], // no cluster, or no Sentinel
  [/invalid password|operation not permitted|AUTH.*without any password|no password is set/i, 'noauth'],
  [/before secure TLS connection was established|TLS was not agreed on/, 'tls'],
];

/** By the operating system's, the resolver's and OpenSSL's codes. */
const codes: readonly (readonly [RegExp, StoreErrorReason])[] = [
  [/^(ECONNREFUSED|ENOENT)$/, 'refused'], // ENOENT: a socket's path
  [/^(ENOTFOUND|EAI_)/, 'dns'],
  [/^(EPROTO|ERR_SSL_|ERR_TLS_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/, 'tls'],
];

export function storeErrorOf(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { message, code, errors } = error as { message?: string; code?: string; errors?: readonly Error[] };
  // A name with several addresses fails with an error for each, and says nothing itself.
  const text = message || errors?.map((each) => each.message).join(', ') || code || String(error);
  return new StoreError(reasonOf(text, code), text, { cause: error });
}

function reasonOf(message: string, code: string | undefined): StoreErrorReason {
  const phrase = phrases.find(([pattern]) => pattern.test(message));
  if (phrase) return phrase[1];
  // An error raised inside a script may carry the cause's word further on: "ERR Error running script …: -READONLY …".
  const word = /^-?([A-Z]+)\b/.exec(message)?.[1];
  if (word && word !== 'ERR' && replyReasons[word]) return replyReasons[word];
  const inner = /[-@: ](LOADING|READONLY|MASTERDOWN|NOREPLICAS|OOM|MISCONF|NOPERM|NOAUTH|WRONGPASS|CLUSTERDOWN)\b/.exec(
    message,
  )?.[1];
  if (inner && replyReasons[inner]) return replyReasons[inner];
  const known = codes.find(([pattern]) => pattern.test(code ?? /\b(E[A-Z_]{4,})\b/.exec(message)?.[1] ?? ''));
  if (known) return known[1];
  if (/Protocol error|Unknown RESP type|Unexpected|ParserError/i.test(message) && !code) return 'protocol';
  if (code || /Connection is closed|Stream isn't writeable|Socket timeout|ETIMEDOUT|max retries/i.test(message)) {
    return 'disconnected';
  }
  return 'other';
}

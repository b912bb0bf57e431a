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
};

export function storeErrorOf(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { message, code } = error as { message?: string; code?: string };
  const text = message ?? String(error);
  return new StoreError(reasonOf(text, code), text, { cause: error });
}

function reasonOf(message: string, code: string | undefined): StoreErrorReason {
  if (/max(imum)? number of clients/i.test(message)) return 'maxclients';
  if (message.includes('The user executing the script can')) return 'noperm'; // a right that the script needs
  if (message.startsWith('Too many Cluster redirections')) return 'clusterdown';
  // An error raised inside a script may carry the cause's word further on: "ERR Error running script …: -READONLY …".
  const word = /^-?([A-Z]+)\b/.exec(message)?.[1];
  if (word && word !== 'ERR' && replyReasons[word]) return replyReasons[word];
  const inner = /[-@: ](LOADING|READONLY|MASTERDOWN|NOREPLICAS|OOM|MISCONF|NOPERM|CLUSTERDOWN)\b/.exec(message)?.[1];
  if (inner && replyReasons[inner]) return replyReasons[inner];
  if (/ECONNREFUSED/.test(code ?? message)) return 'refused';
  if (/Protocol error|Unknown RESP type|Unexpected|ParserError/i.test(message) && !code) return 'protocol';
  if (code || /Connection is closed|Stream isn't writeable|Socket timeout|ETIMEDOUT|max retries/i.test(message)) {
    return 'disconnected';
  }
  return 'other';
}

// How far a fault reaches: which keys, and until when. A fault of the one Redis hits every key until it is healed; the
// loss of one master hits the keys that it held, until another stands in its place.
//
//   kill ─── nobody in its place ─── failover ─── the killed one is started again ───
//        the fallback decides its keys       Redis does

import type { History } from '../history.ts';
import { awaitsFailover } from './windows.ts';

/** Whether a key was in the Redis that the fault hits; undefined when nobody saw where it was. */
export function reachOf(history: History): (key: string) => boolean | undefined {
  const { placement } = history;
  if (placement === undefined) return () => true;
  const holders = holdersIn(history);
  return (key) => {
    const holder = holders.get(key);
    return holder === undefined ? undefined : holder === placement.victim;
  };
}

/** Whether it is a cluster's, and nobody told who held which key: then a master's breaker tells nothing of a request. */
export function isUnplaced({ run, placement }: History): boolean {
  return run.planned?.placed === true && placement === undefined;
}

/** Whether what is told of this breaker is of the Redis that the fault hits: with a single one, all is. */
export function isBreakerHit({ placement }: History, shard: string | undefined): boolean {
  return placement === undefined || shard === undefined || shard === placement.victim;
}

/** The master of a cluster that held a key at an instant; undefined when nobody can tell. */
export function masterOf(history: History): (key: string, atMs: number) => string | undefined {
  const holders = holdersIn(history);
  const { failover } = history;
  return (key, atMs) => {
    const holder = holders.get(key);
    if (failover === undefined || holder !== failover.from || atMs < failover.beginMs) return holder;
    return atMs < failover.endMs ? undefined : failover.to;
  };
}

/** Redis was to be replaced, and was not: what the limiter then did proves nothing. */
export function isWithoutSuccessor(history: History): boolean {
  return awaitsFailover(history) && history.failover === undefined;
}

function holdersIn({ placement }: History): Map<string, string> {
  const holders = new Map<string, string>();
  for (const [master, keys] of Object.entries(placement?.keys ?? {})) for (const key of keys) holders.set(key, master);
  return holders;
}

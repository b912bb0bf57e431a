// Redis Cluster. Keys are spread over a fixed number of hash tags, so that the takes of one turn travel in a few scripts
// although the keys of a script must share a slot; each master is a shard, with a breaker of its own.
//
//   key ─ hash ─▶ tag ─ CRC16 ─▶ slot ─ cluster.slots ─▶ master ─▶ shard
//
// Who owns a slot is ioredis's knowledge, asked for anew every second and at every MOVED. After a failover a tag's slot
// has another master, so its keys have another shard, whose breaker is closed.

import { Cluster, Command, type Redis } from 'ioredis';
import { hashOf } from './hash.ts';
import { connectionOptions, type RedisAddress, retryMs } from './redis-options.ts';
import type { ConnectOptions } from './redis-single.ts';
import { RedisStore } from './redis-store.ts';
import { createShard, type Shard, type Topology } from './shard.ts';

/** Few, for full batches; their slots are evenly spread, so up to so many masters share the work. */
const tagCount = 16;
const slotCount = 16_384;
const slotsRefreshMs = 1000;

/** The hash tags, the i-th of which has its slot in the i-th part of all. The same everywhere and for ever. */
export const tags: readonly string[] = Array.from({ length: tagCount }, (_, part) => {
  for (let n = 0; ; n++) if (Math.floor((slotOf(String(n)) * tagCount) / slotCount) === part) return String(n);
});

/** A master's address, as ioredis writes it. */
type NodeKey = string;

export function connectCluster(
  address: Extract<RedisAddress, { kind: 'cluster' }>,
  options: ConnectOptions,
): Topology & { readonly client: Cluster } {
  const cluster = new Cluster([...address.nodes], {
    enableOfflineQueue: false, // a take that cannot be sent now is answered by the fallback now
    redisOptions: connectionOptions(address),
    clusterRetryStrategy: retryMs,
    enableReadyCheck: false, // some slots without a master are those keys' trouble alone
    slotsRefreshInterval: slotsRefreshMs,
    slotsRefreshTimeout: 500, // ms; then the next node is asked
    maxRedirections: 3, // the deadline ends it anyway; this ends what goes on behind it
    retryDelayOnFailover: 0, // never wait and send again: the fallback has answered by then
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: 0,
  });
  const shards = new Map<NodeKey, { readonly shard: Shard; readonly store: RedisStore }>();
  let byTag: (Shard | undefined)[] = [];

  const start = async (key: NodeKey) => {
    const entry = shards.get(key);
    if (!entry) return;
    await entry.store.connected();
    entry.shard.last.clear(); // perhaps another Redis, or one that forgot
    if (shards.get(key) === entry) options.onConnection('ready', key);
  };
  /** Gives every master of a tag a shard, and ends those of nodes that are masters no more. */
  const follow = () => {
    const owners = tags.map((tag) => cluster.slots[slotOf(tag)]?.[0]);
    for (const [key, { shard }] of shards) {
      if (owners.includes(key)) continue;
      shard.breaker.close();
      shards.delete(key);
      options.onConnection('lost', `${key} is no master any more`);
    }
    for (const [i, key] of owners.entries()) {
      if (key === undefined || shards.has(key)) continue;
      const tag = { of: tagOf, probe: tags[i] as string };
      const store = new RedisStore({ ...options, client: cluster, tags: tag });
      shards.set(key, { store, shard: createShard(key, store, options) });
      start(key);
    }
    byTag = owners.map((key) => (key === undefined ? undefined : shards.get(key)?.shard));
  };
  cluster.on('refresh', follow);
  cluster.on('+node', ({ options: { host, port } }: Redis) => start(`${host}:${port}`));
  cluster.on('error', () => {}); // no node answers; each shard's calls say so themselves

  return {
    client: cluster,
    get shards() {
      return [...shards.values()].map(({ shard }) => shard);
    },
    shardOf: (key) => byTag[hashOf(key) % tagCount],
    close() {
      for (const { shard } of shards.values()) shard.breaker.close();
      cluster.disconnect();
    },
  };
}

/** https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model */
function slotOf(tag: string): number {
  return new Command('get', [tag]).getSlot();
}

function tagOf(key: string): string {
  return tags[hashOf(key) % tagCount] as string;
}

// Redis Cluster. Keys are spread over a fixed number of hash tags, so that the takes of one turn travel in a few scripts
// although the keys of a script must share a slot; each master is a shard, with a breaker of its own.
//
//   key ─ hash ─▶ tag ─ CRC16 ─▶ slot ─ cluster.slots ─▶ master ─▶ shard
//
// Who owns a slot is ioredis's knowledge, asked for anew every second and at every MOVED. After a failover a tag's slot
// has another master, so its keys have another shard, whose breaker is closed.

import { Cluster, Command, type Redis } from 'ioredis';
import { hashOf } from '../core/hash.ts';
import { createShard, type Topology } from '../core/shard.ts';
import { StoreError } from '../core/store.ts';
import { begin, type Connected, follow, hangUp } from './connection.ts';
import { GuardedConnector } from './connectors.ts';
import { storeErrorOf } from './errors.ts';
import { connectionOptions, type RedisAddress, retryMs } from './options.ts';
import type { ConnectOptions } from './single.ts';
import { checkSlotsOf } from './slots-reply.ts';
import { RedisStore } from './store.ts';

/** Few, for full batches; their slots are evenly spread, so up to so many masters share the work. */
const tagCount = 16;
const slotCount = 16_384;
const slotsRefreshMs = 1000;
/** Longer than an attempt to connect, which knows better why there is no answer. */
const slotsAnswerMsMax = 600;

/** The hash tags, the i-th of which has its slot in the i-th part of all. The same everywhere and for ever. */
export const tags: readonly string[] = Array.from({ length: tagCount }, (_, part) => {
  for (let n = 0; ; n++) if (Math.floor((slotOf(String(n)) * tagCount) / slotCount) === part) return String(n);
});

const noSlots = new StoreError('timeout', `a node did not say within ${slotsAnswerMsMax} ms who owns the slots`);

const ownerless = (missing: number) =>
  new StoreError('clusterdown', `nobody owns ${missing} of the ${tagCount} slots that keys are in`);

/** A master's address, as ioredis writes it. */
type NodeKey = string;

export function connectCluster(
  address: Extract<RedisAddress, { kind: 'cluster' }>,
  options: ConnectOptions,
): Topology & { readonly client: Cluster } {
  const waitMs = (attempt: number) => retryMs(attempt, options.instances());
  const cluster = new Cluster([...address.nodes], {
    enableOfflineQueue: false, // a take that cannot be sent now is answered by the fallback now
    redisOptions: { ...connectionOptions(address), Connector: GuardedConnector },
    natMap: address.natMap,
    // Each connection looks its own name up: one that does not resolve is that node's trouble alone, and TLS checks the name.
    dnsLookup: (name, found) => found(null, name),
    clusterRetryStrategy: waitMs,
    clusterNodeRetryStrategy: waitMs, // a master that comes back is the same one; nobody needs to be asked first
    enableReadyCheck: false, // some slots without a master are those keys' trouble alone
    slotsRefreshInterval: slotsRefreshMs,
    slotsRefreshTimeout: slotsAnswerMsMax, // then the next node is asked
    maxRedirections: 2, // moved, and on the move again; the store has a better answer to a TRYAGAIN than to repeat it
    retryDelayOnFailover: 0, // never wait and send again: the fallback has answered by then
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: 0,
  });
  cluster.on('+node', checkSlotsOf);
  const { handleError } = cluster;
  cluster.handleError = (error, ...rest) => {
    error.message = withHost(error.message, (slot) => cluster.slots[slot]?.[0]);
    handleError.call(cluster, error, ...rest);
  };
  /** As long as no node has said who owns what, they are all that there is. */
  const seeds = `cluster by ${address.nodes.map(({ host, port }) => `${host}:${port}`).join(',')}`; // no master's name
  const masters = new Map<NodeKey, Connected>();
  const followed = new WeakSet<Redis>();
  let owners: readonly (NodeKey | undefined)[] = [];

  const addMaster = (key: NodeKey) => {
    const probe = () => tags[owners.indexOf(key)] as string;
    const onMisfit = (error: StoreError) => {
      const node = nodeOf(key);
      if (node) hangUp(node, error);
    };
    const store = new RedisStore({ ...options, client: cluster, tags: { of: tagOf, probe }, onMisfit });
    masters.set(key, { store, shard: createShard(key, store, options) });
  };
  const removeMaster = (key: NodeKey, { shard }: Connected) => {
    shard.breaker.close();
    masters.delete(key);
    options.onConnection(key, 'gone'); // it is no master any more
  };
  const nodeOf = (key: NodeKey) =>
    cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === key);
  /** ioredis connects at the first command; here nobody's take is to be the first. */
  const connectTo = (key: NodeKey) => {
    const node = nodeOf(key);
    const master = masters.get(key);
    if (!node || !master) return;
    if (!followed.has(node)) {
      followed.add(node);
      follow(node, () => masters.get(key), options);
    }
    if (node.status === 'wait')
      node.connect().catch(() => {}); // its store is told by the event
    else if (node.status === 'ready' && !master.store.ready) begin(master, options.onConnection);
  };
  /** Nobody's breaker sees it, and no take is sent that would fail: so it is a failed call by itself. */
  const noOwners = (why: StoreError) => {
    options.onError(why.reason);
    options.onConnection(seeds, why);
  };
  cluster.on('refresh', () => {
    owners = tags.map((tag) => cluster.slots[slotOf(tag)]?.[0]);
    const missing = owners.filter((owner) => owner === undefined).length;
    if (missing === 0) options.onConnection(seeds, 'gone');
    else noOwners(ownerless(missing));
    for (const [key, master] of masters) if (!owners.includes(key)) removeMaster(key, master);
    for (const key of new Set(owners)) {
      if (key === undefined) continue;
      if (!masters.has(key)) addMaster(key);
      connectTo(key);
    }
  });
  // No node tells who owns the slots. Each master that is known says by its own connection how it is.
  cluster.on('error', (error: Error & { lastNodeError?: Error | null }) => {
    const why = error.lastNodeError ?? error;
    // ioredis says no more of a node that does not answer.
    noOwners(why.message === 'timeout' ? noSlots : storeErrorOf(why));
  });

  return {
    client: cluster,
    get shards() {
      return [...masters.values()].map(({ shard }) => shard);
    },
    shardOf(key) {
      const owner = owners[tagIndexOf(key)];
      return owner === undefined ? undefined : masters.get(owner)?.shard;
    },
    close() {
      for (const { shard } of masters.values()) shard.breaker.close();
      cluster.disconnect();
    },
  };
}

/**
 * `MOVED 3999 :6381` comes from a node that does not know the host: it is that of the node that says so, which was asked as
 * the slot's owner. ioredis would go to this machine, where perhaps another Redis listens.
 */
function withHost(message: string, ownerOf: (slot: number) => NodeKey | undefined): string {
  return message.replace(/^((?:MOVED|ASK) (\d+) )(?=:\d+$)/, (said: string, _: string, slot: string) => {
    const owner = ownerOf(Number(slot)) ?? '';
    return said + owner.slice(0, owner.lastIndexOf(':'));
  });
}

/** https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model */
function slotOf(tag: string): number {
  return new Command('get', [tag]).getSlot();
}

function tagIndexOf(key: string): number {
  return hashOf(key) % tagCount;
}

/** A key's hash tag. */
export function tagOf(key: string): string {
  return tags[tagIndexOf(key)] as string;
}

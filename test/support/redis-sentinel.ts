// A master, its replica and three Sentinels of a test's own, real processes, quick to notice a death.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  masterName,
  replicationSettings,
  sentinelConfig,
  sentinelCount,
  sentinelsFormed,
} from '../../chaos/drivers/sentinel.ts';
import { freePort } from '../../chaos/free-port.ts';
import { type RedisNode, startNode, startSentinelNode } from './redis-nodes.ts';

const host = '127.0.0.1';

export interface RedisSentinel extends AsyncDisposable {
  readonly nodes: readonly RedisNode[];
  readonly sentinels: readonly RedisNode[];
  /** As in REDIS_SENTINEL_ADDRS. */
  readonly addrs: string;
  /** What the Sentinels call the master now. */
  master(): Promise<RedisNode>;
  /** Resolves when every Sentinel knows the others, the same live master and a replica in step with it. */
  healthy(): Promise<void>;
}

export async function startSentinel(): Promise<RedisSentinel> {
  const parent = await mkdtemp(join(tmpdir(), 'failopen-sentinel-'));
  const nodes: RedisNode[] = [];
  const sentinels: RedisNode[] = [];
  const end = async () => {
    await Promise.all([...sentinels, ...nodes].map((node) => node.end()));
    await rm(parent, { recursive: true, force: true });
  };
  try {
    const ports = [await freePort(), await freePort()];
    for (const [i, port] of ports.entries()) {
      const replicaOf = i === 0 ? {} : { replicaof: `${host} ${ports[0]}` };
      nodes.push(await startNode(parent, port, { ...replicationSettings, ...replicaOf }));
    }
    for (let i = 0; i < sentinelCount(true); i++) {
      const port = await freePort();
      const config = join(parent, `sentinel-${port}.conf`); // a file that it rewrites
      await writeFile(config, sentinelConfig(host, port, { host, port: ports[0] as number }, sentinelCount(true)));
      sentinels.push(await startSentinelNode(parent, port, config));
    }
  } catch (error) {
    await end();
    throw error;
  }
  const topology: RedisSentinel = {
    nodes,
    sentinels,
    addrs: sentinels.map(({ address }) => address).join(),
    async master() {
      const told = await sentinels[0]?.admin.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName);
      return nodes.find(({ address }) => Array.isArray(told) && address === told.join(':')) as RedisNode;
    },
    async healthy() {
      const master = await topology.master();
      await sentinelsFormed(
        sentinels,
        master,
        nodes.filter((node) => node !== master),
      );
    },
    [Symbol.asyncDispose]: end,
  };
  await topology.healthy().catch(async (error) => {
    await end();
    throw error;
  });
  return topology;
}

// A master, its replica and three Sentinels of a test's own, real processes, quick to notice a death.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { masterName, replicationSettings, sentinelConfig } from '../../chaos/drivers/sentinel.ts';
import { freePort } from '../../chaos/processes.ts';
import { type RedisNode, startNode } from './redis-nodes.ts';
import { until } from './until.ts';

const host = '127.0.0.1';
const quorum = 2;

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
  const byPort = (port: number) => nodes.find((node) => node.port === port) as RedisNode;
  const stateOf = async ({ admin }: RedisNode) => {
    const fields = (await admin.call('SENTINEL', 'MASTER', masterName)) as string[];
    return Object.fromEntries(fields.flatMap((name, i) => (i % 2 ? [] : [[name, fields[i + 1]]])));
  };
  try {
    const ports = [await freePort(), await freePort()];
    for (const [i, port] of ports.entries()) {
      const replicaOf = i === 0 ? [] : ['--replicaof', `127.0.0.1 ${ports[0]}`];
      nodes.push(await startNode(parent, port, (dir) => [...redisArgs(port, dir), ...replicaOf]));
    }
    for (let i = 0; i < 3; i++) {
      const port = await freePort();
      const config = join(parent, `sentinel-${port}.conf`); // a file that it rewrites
      await writeFile(config, sentinelConfig(host, port, { host, port: ports[0] as number }, quorum));
      sentinels.push(await startNode(parent, port, () => [config, '--sentinel']));
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
      return byPort(Number((await stateOf(sentinels[0] as RedisNode)).port));
    },
    async healthy() {
      await until('healthy Sentinels', async () => {
        const states = await Promise.all(sentinels.map(stateOf));
        const masters = new Set(states.map(({ port }) => port));
        const replication = await Promise.all(nodes.map(({ admin }) => admin.info('replication')));
        return (
          masters.size === 1 &&
          states.every(
            (it) => it.flags === 'master' && it['num-other-sentinels'] === '2' && it['num-slaves'] === '1',
          ) &&
          replication.filter((it) => it.includes('master_link_status:up')).length === 1
        );
      });
    },
    [Symbol.asyncDispose]: end,
  };
  await topology.healthy().catch(async (error) => {
    await end();
    throw error;
  });
  return topology;
}

function redisArgs(port: number, dir: string): string[] {
  const settings = { port, bind: '127.0.0.1', dir, save: '', appendonly: 'no', ...replicationSettings };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

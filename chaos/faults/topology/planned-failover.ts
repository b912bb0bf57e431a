// The Sentinels give the role of master to the replica because a person tells them to; nobody is dead. The former master
// takes writes until it is told to follow, so the last of them are lost. That Redis was told to shows in its statistics; the
// heal starts them anew, and the roles stay as they are then.

import { until } from '../../clock.ts';
import type { Environment, NodeHandle } from '../../environment.ts';
import { LabError } from '../../errors.ts';
import { defineFault, nothing } from '../fault.ts';
import { forget, isSeen, probeOf } from '../redis/deed.ts';
import { nodesOf, sentinelsOf } from './nodes.ts';

const doneMsMax = 10_000;

export const plannedFailover = defineFault({
  kind: 'planned-failover',
  family: 'topology',
  params: nothing,
  examples: [{}],
  needs: ['redis-config', 'topology'],
  reaches: ['one-shard'],
  effect: () => 'degraded',
  state: 'perhaps-lost',
  endsBy: 'heal',
  async inject(environment) {
    const nodes = nodesOf(environment, 2);
    const [sentinel] = sentinelsOf(environment) as readonly [NodeHandle];
    const { name, address } = await masterBy(sentinel);
    // It takes no replica that it has not heard of for a moment.
    const isTaken = () => sentinel.command('SENTINEL', 'FAILOVER', name).then(() => true as const, unlessNoReplica);
    if (!(await until(doneMsMax, 50, isTaken))) throw new LabError('The Sentinels know of no replica to promote');
    const next = await until(doneMsMax, 20, () => otherThan(address, environment));
    if (next === undefined) throw new LabError(`The Sentinels named no other master within ${doneMsMax / 1000} s`);
    // They would tell it so themselves, seconds later; whoever had not heard of the other would take from it until then.
    const former = nodes.find((node) => node.address === address);
    await former?.command('REPLICAOF', ...next.split(':'));
    await former?.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  },
  heal: forget,
  probe: probeOf({ section: 'commandstats', pattern: 'cmdstat_%a+of:' }), // replicaof, or slaveof as Sentinels say
  bites: isSeen,
  describe: () => 'The Sentinels gave the role of the master to its replica, as planned',
});

/** `host:port` that all Sentinels name, and who takes writes; undefined until then. */
async function otherThan(former: string, { redis }: Environment): Promise<string | undefined> {
  const [first, ...others] = new Set(await redis.failover?.named());
  return others.length === 0 && first !== former ? first : undefined;
}

function unlessNoReplica(error: Error): undefined {
  if (!error.message.startsWith('NOGOODSLAVE')) throw error;
}

async function masterBy(sentinel: NodeHandle): Promise<{ readonly name: string; readonly address: string }> {
  const [fields = []] = (await sentinel.command('SENTINEL', 'MASTERS')) as string[][];
  const field = (name: string) => fields[fields.indexOf(name) + 1] ?? '';
  return { name: field('name'), address: `${field('ip')}:${field('port')}` };
}

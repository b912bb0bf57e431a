import { expect, it } from 'vitest';
import { type Peer, SimulatedRedis } from '../../../chaos/simulation/redis.ts';
import { Process, VirtualTime } from '../../../chaos/simulation/virtual-time.ts';

it('passes over whatever came on connections that ended, however much that is', async () => {
  const time = new VirtualTime(() => 0.5);
  const scripts = { programOf: () => ({ writes: false, run: () => 'done' }), isOver: () => false };
  const redis = new SimulatedRedis(time, scripts, { driftRatio: 0, taken: () => {}, ran: () => {} });
  const peer = (): Peer => ({ process: new Process('instance'), resetByServer: () => {} });
  const [ended, alive] = [peer(), peer()];
  redis.connections.add(alive);
  const command = { name: 'eval', script: 'word', keyCount: 0, args: [] } as const;
  const replies: unknown[] = [];
  const send = (from: Peer) => redis.receive(command, 0, from, (reply) => replies.push(reply));
  send(alive);
  for (let i = 0; i < 50_000; i++) send(ended);
  send(alive);
  await time.run(1000);
  expect(replies).toEqual(['done', 'done']);
});

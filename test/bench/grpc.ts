// `npm run bench -- --grpc`: what the door of Envoy carries, beside a bare gRPC server and, where it is installed,
// envoyproxy/ratelimit. So many calls are under way all the time. Then how long a call takes while Redis stands still.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../chaos/free-port.ts';
import { type Contender, failopen } from './contenders.ts';
import { loadApart } from './cores.ts';
import { type Bench, startField } from './field.ts';
import { callsAt, callsOf, keyCount } from './grpc-load.ts';
import { onPath } from './on-path.ts';
import { leaveResults, type Plan } from './plan.ts';
import { costTitle, withCost } from './processor-time.ts';
import { interleaved } from './rounds.ts';
import { titled } from './table.ts';

const callsUnderWay = 100;
const outageRate = 1000;

const rules = `domain: bench
descriptors:
  - key: key
    rate_limit: {unit: minute, requests_per_unit: 1000000}
`;

interface GrpcContender {
  readonly name: string;
  readonly contender: Contender;
  readonly port: number;
}

/** Prints calls per second, and ratios in the same round, then the latency while Redis stands still; leaves the figures in a file. */
export async function measureGrpc(plan: Plan, bench: Bench): Promise<void> {
  const { rounds, seconds, warmUpS } = plan;
  const { signal } = bench;
  const all = await contendersIn(bench.logs);
  const apart = loadApart();
  const contenders = all.map(({ contender }) => contender);
  await using field = await startField(contenders, {}, { cores: apart?.loaded, redisFirst: false }, bench);
  for (const { port } of all) await callsOf(port, callsUnderWay, warmUpS, signal);
  const calls = await interleaved(all, rounds, ({ name, port }) =>
    withCost(field, name, () => callsOf(port, callsUnderWay, seconds, signal)),
  );
  const title = `Calls per second, ${callsUnderWay} under way, ${keyCount} keys`;
  for (const { name } of all.filter((it) => it.name !== failopen.name))
    say(titled(title, name, calls, ({ perSecond }) => perSecond));
  say(titled(costTitle('call'), bareName, calls, ({ costUs }) => costUs));
  say(titled('99th percentile in ms', bareName, calls, ({ p99Ms }) => p99Ms));

  const deciding = all.filter(({ name }) => name !== bareName);
  const stopped = await interleaved(deciding, rounds, ({ port }) => {
    field.redis.stop();
    return callsAt(port, outageRate, seconds, field.redis.goOn, signal).finally(field.redis.goOn);
  });
  const outageTitle = `99th percentile in ms at ${outageRate} calls/s, open loop, while Redis stands still`;
  say(titled(outageTitle, failopen.name, stopped, ({ p99Ms }) => p99Ms));
  for (const [name, runs] of stopped) say(`  ${name}: not answered ${runs.map(({ failed }) => failed).join(', ')}\n`);
  leaveResults(plan, 'grpc-', { cores: apart, calls: Object.fromEntries(calls), stopped: Object.fromEntries(stopped) });
}

function say(text: string): void {
  process.stdout.write(text);
}

const bareName = 'bare @grpc/grpc-js';

async function contendersIn(directory: string): Promise<readonly GrpcContender[]> {
  const rulesIn = join(directory, 'ratelimit', 'config');
  mkdirSync(rulesIn, { recursive: true });
  writeFileSync(join(rulesIn, 'bench.yaml'), rules);
  const bare = { ...failopen, name: bareName, args: [join(import.meta.dirname, 'contenders', 'bare-grpc.ts')] };
  const ratelimit = onPath('ratelimit');
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort(), freePort()]);
  const [barePort, ourPort, theirPort, theirHttpPort, theirDebugPort] = ports;
  const onPort = (contender: Contender, port: number, env: Contender['env'] = {}): GrpcContender => ({
    name: contender.name,
    contender: { ...contender, env: { GRPC_PORT: String(port), ...env } },
    port,
  });
  return [
    onPort(bare, barePort),
    onPort(failopen, ourPort, { RLS_CONFIG_DIR: rulesIn }),
    ...(ratelimit === undefined
      ? []
      : [
          onPort(theirs(ratelimit, theirHttpPort), theirPort, {
            RUNTIME_ROOT: directory,
            RUNTIME_SUBDIRECTORY: 'ratelimit',
            RUNTIME_WATCH_ROOT: 'false',
            REDIS_SOCKET_TYPE: 'tcp',
            USE_STATSD: 'false',
            DEBUG_PORT: String(theirDebugPort),
          }),
        ]),
  ];
}

function theirs(path: string, httpPort: number): Contender {
  return {
    name: 'envoyproxy/ratelimit',
    command: '/bin/sh',
    args: ['-c', `PORT=${httpPort} REDIS_URL="$REDIS_ADDR" exec "${path}"`],
    url: `http://127.0.0.1:${httpPort}/healthcheck`,
  };
}

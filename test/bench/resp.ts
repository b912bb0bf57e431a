// `npm run bench -- --resp`: takes over RESP in pipelines of 50, decided by a real Redis, beside a PING of that Redis, which
// decides nothing, and beside throttlecrab's server, which decides in its memory, where it is installed.

import { freePort } from '../../chaos/free-port.ts';
import { type Contender, failopen } from './contenders.ts';
import { loadApart } from './cores.ts';
import { type Bench, startField } from './field.ts';
import { onPath } from './on-path.ts';
import { leaveResults, type Plan } from './plan.ts';
import { costTitle, withCost } from './processor-time.ts';
import { commandOf, type PipelinesRun, pipelinesOf } from './resp-pipelines.ts';
import { interleaved } from './rounds.ts';
import { titled } from './table.ts';

const connections = 8;
const pipelineLength = 50;
const keyCount = 10_000;
/** More than is taken: a bucket of a million, which is full again after a minute. */
const limit = ['999999', '1000000', '60'];

interface Spoken {
  readonly name: string;
  readonly port: number;
  readonly commandFor: (key: string) => string;
  /** Of the answer to one. */
  readonly lines: number;
}

/** Prints commands per second, and ratios in the same round; leaves the figures in a file. */
export async function measureResp(plan: Plan, bench: Bench): Promise<void> {
  const apart = loadApart();
  const crab = onPath('throttlecrab-server');
  const [ourPort, crabPort, crabHttpPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const contenders: readonly Contender[] = [
    { ...failopen, env: { RESP_PORT: String(ourPort) } },
    ...(crab === undefined ? [] : [throttlecrab(crab, crabPort, crabHttpPort)]),
  ];
  await using field = await startField(contenders, {}, { cores: apart?.loaded, redisFirst: false }, bench);
  const take = { commandFor: (key: string) => commandOf('CL.THROTTLE', key, ...limit), lines: 6 };
  const all: readonly Spoken[] = [
    { name: pingName, port: field.redis.port, commandFor: () => commandOf('PING'), lines: 1 },
    { name: failopen.name, port: ourPort, ...take },
    ...(crab === undefined
      ? []
      : [
          {
            ...take,
            name: crabName,
            port: crabPort,
            commandFor: (key: string) => commandOf('THROTTLE', key, ...limit),
          },
        ]),
  ];
  const measure = ({ port, commandFor, lines }: Spoken, seconds: number): Promise<PipelinesRun> =>
    pipelinesOf(
      { port, pipelines: pipelinesBy(commandFor), commands: pipelineLength, lines, connections, seconds },
      bench.signal,
    );
  for (const spoken of all) await measure(spoken, plan.warmUpS);
  const figures = await interleaved(all, plan.rounds, (spoken) =>
    withCost(field, spoken.name, () => measure(spoken, plan.seconds)),
  );
  const title = `Commands per second, pipelines of ${pipelineLength}, ${connections} connections, ${keyCount} keys`;
  for (const { name } of all.filter((it) => it.name !== failopen.name))
    process.stdout.write(titled(title, name, figures, ({ perSecond }) => perSecond));
  process.stdout.write(titled(costTitle('command'), pingName, figures, ({ costUs }) => costUs));
  process.stdout.write(titled('99th percentile of a pipeline in ms', pingName, figures, ({ p99Ms }) => p99Ms));
  leaveResults(plan, 'resp-', { cores: apart, commands: Object.fromEntries(figures) });
}

const pingName = 'PING of Redis';
const crabName = 'throttlecrab';

function throttlecrab(command: string, port: number, httpPort: number): Contender {
  return {
    name: crabName,
    command,
    args: [
      '--redis',
      '--redis-host',
      '127.0.0.1',
      '--redis-port',
      `${port}`,
      '--http',
      '--http-host',
      '127.0.0.1',
      '--http-port',
      `${httpPort}`,
    ],
    url: `http://127.0.0.1:${httpPort}/health`,
  };
}

function pipelinesBy(commandFor: (key: string) => string): Buffer[] {
  return Array.from({ length: keyCount / pipelineLength }, (_, pipeline) =>
    Buffer.from(
      Array.from({ length: pipelineLength }, (_, i) => commandFor(`key-${pipeline * pipelineLength + i}`)).join(''),
    ),
  );
}

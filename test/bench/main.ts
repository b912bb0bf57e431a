// `npm run bench`: side by side with its peers. Every contender is loaded in every round, one after another, so that what
// the machine does meanwhile happens to all of them; the figures are medians and ranges over the rounds, and ratios to
// bare Express in the same round.
//
//   redis ◀── contender 1 … n, each a process of its own      one round: 1, 2, … n, next round: 2, … n, 1

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import '../../chaos/command.ts';
import { commandLine, outDirectory, whole } from '../../chaos/command-line.ts';
import { endWith, interruption, LabError, UsageError } from '../../chaos/errors.ts';
import { UndoLog } from '../../chaos/host/undo-log.ts';
import { startWatchdog } from '../../chaos/undo/watchdog.ts';
import { bareExpress, type Contender, contenders, failopen, keyHeader, peerOf, type Running } from './contenders.ts';
import { loadApart, moveTo } from './cores.ts';
import { measureDoors } from './doors.ts';
import { type Bench, startField } from './field.ts';
import { measureGrpc } from './grpc.ts';
import { type LatencyRun, type Load, latencyAt } from './latency.ts';
import { measurePackage } from './package.ts';
import { leaveResults, type Plan } from './plan.ts';
import { measureResp } from './resp.ts';
import { interleaved } from './rounds.ts';
import { medianOf } from './table.ts';
import { hotKey, manyKeys, throughputs } from './workloads.ts';

const bare = bareExpress.name;
const ours = failopen.name;

const usage = `npm run bench [-- --rounds N --seconds N --soak SECONDS --warm-up SECONDS
                  --peer NAME=COMMAND@URL… --out DIR]
npm run bench -- --doors, or --grpc, or --resp, or --package`;

/** What is measured in the place of bare Express and its peers. */
const others = { doors: measureDoors, grpc: measureGrpc, resp: measureResp, package: measurePackage } as const;

async function main(): Promise<void> {
  const { values } = commandLine(
    {
      options: {
        rounds: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '4' },
        soak: { type: 'string', default: '60' },
        'warm-up': { type: 'string', default: '10' },
        doors: { type: 'boolean', default: false },
        grpc: { type: 'boolean', default: false },
        resp: { type: 'boolean', default: false },
        package: { type: 'boolean', default: false },
        peer: { type: 'string', multiple: true, default: [] },
        out: { type: 'string', default: join(import.meta.dirname, '..', '..', 'runs') },
      },
    },
    usage,
  );
  const upTo600 = (name: 'rounds' | 'seconds' | 'soak' | 'warm-up', min: number) =>
    whole(`--${name}`, values[name], min, 600);
  const plan = {
    rounds: upTo600('rounds', 1),
    seconds: upTo600('seconds', 1),
    soakS: upTo600('soak', 0),
    warmUpS: upTo600('warm-up', 1),
    out: outDirectory(values.out),
  };
  const [other, another] = (Object.keys(others) as (keyof typeof others)[]).filter((name) => values[name]);
  if (another) throw new UsageError(`--${other} and --${another} are two benchmarks; allowed: one at a time`);
  if (other && values.peer.length > 0)
    throw new UsageError(`--peer is of the benchmark of throughput, and not of --${other}`);
  const signal = interruption('everything that was started has been ended');
  using _watchdog = await startWatchdog();
  const undo = new UndoLog();
  const logs = undo.temporaryDirectory();
  try {
    const bench = { undo, logs, signal };
    if (other) await others[other](plan, bench);
    else await measure([...contenders, ...values.peer.map(peerOf)], plan, bench);
  } finally {
    rmSync(logs, { recursive: true, force: true });
    await undo.done();
  }
}

/** `soakS`: of the load at 70 % of saturation. */
type WholePlan = Plan & { readonly soakS: number };

async function measure(all: readonly Contender[], plan: WholePlan, bench: Bench): Promise<void> {
  const apart = loadApart();
  say(
    apart
      ? `The load generator has core ${apart.load} to itself; each contender shares ${apart.loaded} with its Redis.`
      : 'This machine has no core for the load generator alone: it takes from what it loads.',
  );
  const throughput = {
    [manyKeys.name]: await throughputs(all, manyKeys, [bare], apart?.loaded, plan, bench),
    [hotKey.name]: await throughputs(all, hotKey, [bare], apart?.loaded, plan, bench),
  };
  if (apart) moveTo(apart.all); // with cores to spare, nobody takes from anybody

  const saturation = medianOf(throughput[manyKeys.name]?.find(({ name }) => name === ours)?.values ?? []);
  const half = { keyHeader, rate: Math.round(saturation / 2), seconds: plan.seconds, seed: 1 };
  const most = { keyHeader, rate: Math.round(saturation * 0.7), seconds: plan.soakS, seed: 2 };
  const pair = contenders.filter(({ name }) => name === bare || name === ours);
  await using field = await startField(pair, manyKeys.env, { cores: undefined, redisFirst: true }, bench);
  const latencies = await added(field.running, half, plan, bench);
  const { url } = field.running.find(({ name }) => name === ours) as Running;
  const soak = plan.soakS === 0 ? undefined : await soaked({ ...most, url }, bench);

  leaveResults(plan, '', { cores: apart, throughput, half, latencies: Object.fromEntries(latencies), soak });
}

/** What this service adds to bare Express's latency at the same rate. */
async function added(
  pair: readonly Running[],
  half: Omit<Load, 'url'>,
  { rounds }: Plan,
  { signal }: Bench,
): Promise<Map<string, LatencyRun[]>> {
  const latencies = await interleaved(pair, rounds, ({ url }) => latencyAt({ ...half, url }, signal));
  const more = (at: 'p50' | 'p99') =>
    (latencies.get(ours) ?? []).map(
      (run, i) => (run.latencyMs[at] ?? 0) - (latencies.get(bare)?.[i]?.latencyMs[at] ?? 0),
    );
  say(`\nAt half of that, ${half.rate} requests/s, open loop: latency in ms\n`);
  for (const [name, runs] of latencies) {
    const at = (q: 'p50' | 'p99') => medianOf(runs.map(({ latencyMs }) => latencyMs[q] ?? Number.NaN)).toFixed(2);
    const late = medianOf(runs.map(({ lagMsP99 }) => lagMsP99)).toFixed(2);
    say(`  ${name.padEnd(14)} p50 ${at('p50')}  p99 ${at('p99')}  (generator ${late} late, p99)`);
  }
  say(`  added          p50 ${medianOf(more('p50')).toFixed(2)}  p99 ${medianOf(more('p99')).toFixed(2)}`);
  return latencies;
}

/** Decisions by the fallback although nothing is broken; undefined where the machine cannot carry the load. */
async function soaked(most: Load, { signal }: Bench): Promise<LatencyRun | undefined> {
  try {
    const soak = await latencyAt(most, signal);
    say(
      `\nAt 70 % of it for ${most.seconds} s with Redis in good health: ${soak.fallback} of ${soak.answers} decisions by the fallback`,
    );
    say(
      `  p50 ${soak.latencyMs.p50}  p99 ${soak.latencyMs.p99} ms, generator ${soak.lagMsP99.toFixed(2)} ms late (p99)`,
    );
    return soak;
  } catch (error) {
    if (!(error instanceof LabError) || signal.aborted) throw error;
    say(`\nAt 70 % of it for ${most.seconds} s: not measured. ${error.message}`);
    return undefined;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main().catch(endWith);

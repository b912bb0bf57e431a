// `npm run bench`: side by side with its peers. Every contender is loaded in every round, one after another, so that what
// the machine does meanwhile happens to all of them; the figures are medians and ranges over the rounds, and ratios to
// bare Express in the same round.
//
//   redis ◀── contender 1 … n, each a process of its own      one round: 1, 2, … n, next round: 2, … n, 1

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import '../../chaos/command.ts';
import { endWith, interruption, LabError, UsageError } from '../../chaos/errors.ts';
import { UndoLog } from '../../chaos/host/undo-log.ts';
import { startWatchdog } from '../../chaos/undo/watchdog.ts';
import { type Contender, contenders, keyHeader, peerOf, type Running } from './contenders.ts';
import { coresApart, moveTo } from './cores.ts';
import { measureDoors } from './doors.ts';
import { type Bench, startField } from './field.ts';
import { type LatencyRun, type Load, latencyAt } from './latency.ts';
import { interleaved } from './rounds.ts';
import { medianOf, type Row, ratiosTo, table } from './table.ts';
import { keyInHeader, type Throughput, throughputOf } from './throughput.ts';

const bare = 'bare Express';
const ours = 'failopen';

interface Workload {
  readonly name: string;
  readonly title: string;
  readonly keys: number;
  readonly env: Readonly<Record<string, string>>;
}

const manyKeys: Workload = {
  name: 'many-keys',
  title: '10,000 keys, all within their limit',
  keys: 10_000,
  env: { RATE_LIMIT: '1000', RATE_LIMIT_WINDOW_SEC: '10', RATE_LIMIT_BURST: '1000' },
};
const hotKey: Workload = {
  name: 'hot-key',
  title: 'one key, nearly always denied',
  keys: 1,
  env: { RATE_LIMIT: '100', RATE_LIMIT_WINDOW_SEC: '10', RATE_LIMIT_BURST: '100' },
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      soak: { type: 'string', default: '60' },
      'warm-up': { type: 'string', default: '10' },
      doors: { type: 'boolean', default: false },
      peer: { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: join(import.meta.dirname, '..', '..', 'runs') },
    },
  });
  const whole = (name: 'rounds' | 'seconds' | 'soak' | 'warm-up', min: number) => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= min && value <= 600) return value;
    throw new UsageError(`--${name} is "${values[name]}"; allowed: a whole number from ${min} to 600`);
  };
  const plan = {
    rounds: whole('rounds', 1),
    seconds: whole('seconds', 1),
    soakS: whole('soak', 0),
    warmUpS: whole('warm-up', 1),
    out: values.out,
  };
  const signal = interruption('everything that was started has been ended');
  using _watchdog = await startWatchdog();
  const undo = new UndoLog();
  const logs = undo.temporaryDirectory();
  try {
    const bench = { undo, logs, signal };
    if (values.doors) await measureDoors(plan, bench);
    else await measure([...contenders, ...values.peer.map(peerOf)], plan, bench);
  } finally {
    rmSync(logs, { recursive: true, force: true });
    await undo.done();
  }
}

interface Plan {
  readonly rounds: number;
  /** Of one measurement. */
  readonly seconds: number;
  readonly soakS: number;
  /** Before the first measurement, of each contender: what runs once a batch is compiled only after 10 s of load. */
  readonly warmUpS: number;
  /** Directory for the results. */
  readonly out: string;
}

async function measure(all: readonly Contender[], plan: Plan, bench: Bench): Promise<void> {
  const cores = coresApart();
  const apart = cores && moveTo(cores.load) ? cores : undefined;
  say(
    apart
      ? `The load generator has core ${apart.load} to itself; each contender shares ${apart.loaded} with its Redis.`
      : 'This machine has no core for the load generator alone: it takes from what it loads.',
  );
  const throughput = {
    [manyKeys.name]: await throughputs(all, manyKeys, apart?.loaded, plan, bench),
    [hotKey.name]: await throughputs(all, hotKey, apart?.loaded, plan, bench),
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

  mkdirSync(plan.out, { recursive: true });
  const file = join(plan.out, `bench-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}.json`);
  const result = {
    at: new Date().toISOString(),
    cpu: `${cpus().length} × ${cpus()[0]?.model}`,
    cores: apart,
    node: process.version,
    rounds: plan.rounds,
    seconds: plan.seconds,
    warmUpS: plan.warmUpS,
    throughput,
    half,
    latencies: Object.fromEntries(latencies),
    soak,
  };
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  say(`\n${file}`);
}

/** What each can do under a workload: requests per second. */
async function throughputs(
  all: readonly Contender[],
  { title, keys, env }: Workload,
  cores: string | undefined,
  { rounds, seconds, warmUpS }: Plan,
  bench: Bench,
): Promise<Row[]> {
  const { signal } = bench;
  await using field = await startField(all, env, { cores, redisFirst: false }, bench);
  const load = { keys, requestsFor: keyInHeader(keyHeader), seconds };
  for (const { url } of field.running) await throughputOf({ ...load, url, seconds: warmUpS }, signal);
  const figures = await interleaved(field.running, rounds, ({ url }) => throughputOf({ ...load, url }, signal));
  const rows = ratiosTo(bare, figures, ({ requestsPerSecond }) => requestsPerSecond);
  print(`${title}: requests per second`, rows, figures);
  return rows;
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

function print(title: string, rows: readonly Row[], figures: ReadonlyMap<string, readonly Throughput[]>): void {
  say(`\n${title}\n\n${table(rows, bare)}`);
  const shares = [...figures].map(
    ([name, runs]) => `${name} ${(100 * medianOf(runs.map(({ allowed }) => allowed))).toFixed(1)} %`,
  );
  say(`  answered 2xx: ${shares.join(', ')}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main().catch(endWith);

// `npm run bench`: side by side with its peers. Every contender is loaded in every round, one after another, so that what
// the machine does meanwhile happens to all of them; the figures are medians and ranges over the rounds, and ratios to
// bare Express in the same round.
//
//   redis ◀── contender 1 … n, each a process of its own      one round: 1, 2, … n, next round: 2, … n, 1

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { binaries, find } from '../../chaos/binaries.ts';
import { endWith, interruption, LabError, UsageError } from '../../chaos/errors.ts';
import { goFirst } from '../../chaos/go-first.ts';
import { ping } from '../../chaos/ping.ts';
import { freePort, LabProcess } from '../../chaos/processes.ts';
import { UndoLog } from '../../chaos/undo.ts';
import { type Contender, contenders, peerOf, type Running, start } from './contenders.ts';
import { latencyAt } from './latency.ts';
import { medianOf, type Row, ratiosTo, table } from './table.ts';
import { type Throughput, throughputOf } from './throughput.ts';

const keyHeader = 'x-key';
const warmUpS = 2;
const bare = 'bare Express';
const ours = 'failopen';

interface Workload {
  readonly name: string;
  readonly title: string;
  readonly keys: number;
  readonly env: Readonly<Record<string, string>>;
}

const workloads: readonly Workload[] = [
  {
    name: 'many-keys',
    title: '10,000 keys, all within their limit',
    keys: 10_000,
    env: { RATE_LIMIT: '1000', RATE_LIMIT_WINDOW_SEC: '10', RATE_LIMIT_BURST: '1000' },
  },
  {
    name: 'hot-key',
    title: 'one key, nearly always denied',
    keys: 1,
    env: { RATE_LIMIT: '100', RATE_LIMIT_WINDOW_SEC: '10', RATE_LIMIT_BURST: '100' },
  },
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '4' },
      soak: { type: 'string', default: '60' },
      peer: { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: join(import.meta.dirname, '..', '..', 'runs') },
    },
  });
  const whole = (name: 'rounds' | 'seconds' | 'soak', min: number) => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= min && value <= 600) return value;
    throw new UsageError(`--${name} is "${values[name]}"; allowed: a whole number from ${min} to 600`);
  };
  const plan = { rounds: whole('rounds', 1), seconds: whole('seconds', 1), soakS: whole('soak', 0), out: values.out };
  const signal = interruption('everything that was started has been ended');
  const undo = new UndoLog();
  const logs = mkdtempSync(join(tmpdir(), 'failopen-bench-'));
  undo.directory(logs);
  await using started = new AsyncDisposableStack();
  started.defer(() => undo.done());
  started.defer(() => rmSync(logs, { recursive: true, force: true }));
  const redis = await startRedis(logs, undo, started);
  await measure([...contenders, ...values.peer.map(peerOf)], plan, { undo, logs, redis, signal });
}

interface Plan {
  readonly rounds: number;
  /** Of one measurement. */
  readonly seconds: number;
  readonly soakS: number;
  /** Directory for the results. */
  readonly out: string;
}

interface Bench {
  readonly undo: UndoLog;
  /** Directory. */
  readonly logs: string;
  readonly redis: BenchRedis;
  /** Whatever is under way is given up when it aborts. */
  readonly signal: AbortSignal;
}

async function measure(all: readonly Contender[], { rounds, seconds, soakS, out }: Plan, bench: Bench): Promise<void> {
  const { redis, signal } = bench;
  const throughput: Record<string, Row[]> = {};
  for (const workload of workloads) {
    await using field = await startAll(all, workload, bench);
    const load = { keyHeader, keys: workload.keys, seconds };
    for (const { url } of field.running) await throughputOf({ url, keyHeader, keys: 100, seconds: warmUpS }, signal);
    const figures = await interleaved(field.running, rounds, ({ url }) => throughputOf({ ...load, url }, signal));
    throughput[workload.name] = ratiosTo(bare, figures, ({ requestsPerSecond }) => requestsPerSecond);
    print(`${workload.title}: requests per second`, throughput[workload.name] as Row[], figures);
  }

  const saturation = medianOf(throughput['many-keys']?.find(({ name }) => name === ours)?.values ?? []);
  const [many] = workloads as readonly [Workload, ...Workload[]];
  const pair = contenders.filter(({ name }) => name === bare || name === ours);
  await using field = await startAll(pair, many, bench);
  redis.goFirst();
  const half = { keyHeader, rate: Math.round(saturation / 2), seconds, seed: 1 };
  const latencies = await interleaved(field.running, rounds, ({ url }) => latencyAt({ ...half, url }, signal));
  const added = (at: 'p50' | 'p99') =>
    (latencies.get(ours) ?? []).map(
      (run, i) => (run.latencyMs[at] ?? 0) - (latencies.get(bare)?.[i]?.latencyMs[at] ?? 0),
    );
  say(`\nAt half of that, ${half.rate} requests/s, open loop: latency in ms\n`);
  for (const [name, runs] of latencies) {
    const at = (q: 'p50' | 'p99') => medianOf(runs.map(({ latencyMs }) => latencyMs[q] ?? Number.NaN)).toFixed(2);
    say(
      `  ${name.padEnd(14)} p50 ${at('p50')}  p99 ${at('p99')}  (generator ${medianOf(runs.map(({ lagMsP99 }) => lagMsP99)).toFixed(2)} late, p99)`,
    );
  }
  say(`  added          p50 ${medianOf(added('p50')).toFixed(2)}  p99 ${medianOf(added('p99')).toFixed(2)}`);

  const { url } = field.running.find(({ name }) => name === ours) as Running;
  const soak =
    soakS === 0
      ? undefined
      : await latencyAt({ url, keyHeader, rate: Math.round(saturation * 0.7), seconds: soakS, seed: 2 }, signal).catch(
          (error: unknown) => {
            if (!(error instanceof LabError) || signal.aborted) throw error;
            say(`\nAt 70 % of it for ${soakS} s: not measured. ${error.message}`);
            return undefined;
          },
        );
  if (soak) {
    say(
      `\nAt 70 % of it for ${soakS} s with Redis in good health: ${soak.fallback} of ${soak.answers} decisions by the fallback`,
    );
    say(
      `  p50 ${soak.latencyMs.p50}  p99 ${soak.latencyMs.p99} ms, generator ${soak.lagMsP99.toFixed(2)} ms late (p99)`,
    );
  }
  mkdirSync(out, { recursive: true });
  const file = join(out, `bench-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}.json`);
  const result = {
    at: new Date().toISOString(),
    cpu: `${cpus().length} × ${cpus()[0]?.model}`,
    node: process.version,
    rounds,
    seconds,
    throughput,
    half,
    latencies: Object.fromEntries(latencies),
    soak,
  };
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  say(`\n${file}`);
}

interface BenchRedis {
  readonly port: number;
  /** Gives it the processor as soon as it wants it, as on a machine of its own. */
  readonly goFirst: () => void;
}

async function startRedis(logs: string, undo: UndoLog, started: AsyncDisposableStack): Promise<BenchRedis> {
  const binary = binaries.find(({ name }) => name === 'redis-server');
  const found = binary && (await find(binary));
  if (!found) throw new LabError('Not installed: redis-server. Type: npm run setup');
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', logs];
  const redis = await LabProcess.start({
    name: 'redis',
    command: found.path,
    args,
    log: join(logs, 'redis.log'),
    undo,
  });
  started.defer(() => redis.stop());
  await redis.ready(10_000, async () => ((await ping('127.0.0.1', port, 500)).outcome === 'pong' ? true : undefined));
  return { port, goFirst: () => goFirst(redis.pid) };
}

async function startAll(all: readonly Contender[], { env }: Workload, { undo, logs, redis, signal }: Bench) {
  const settings = {
    ...env,
    NODE_ENV: 'production',
    REDIS_PORT: String(redis.port),
    REDIS_ADDR: `127.0.0.1:${redis.port}`,
    KEY_HEADER: keyHeader,
    LOG_LEVEL: 'warn',
  };
  await using stack = new AsyncDisposableStack();
  const running: Running[] = [];
  for (const contender of all) {
    signal.throwIfAborted();
    running.push(stack.use(await start(contender, settings, join(logs, 'contenders.log'), undo)));
  }
  const field = stack.move();
  return { running, [Symbol.asyncDispose]: () => field.disposeAsync() };
}

async function interleaved<T>(
  running: readonly Running[],
  rounds: number,
  measure: (it: Running) => Promise<T>,
): Promise<Map<string, T[]>> {
  const figures = new Map<string, T[]>(running.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const it of rotated(running, round)) figures.get(it.name)?.push(await measure(it));
  }
  return figures;
}

function rotated<T>(list: readonly T[], by: number): T[] {
  return list.map((_, i) => list[(i + by) % list.length] as T);
}

function print(title: string, rows: readonly Row[], figures: ReadonlyMap<string, readonly Throughput[]>): void {
  say(`\n${title}\n\n${table(rows)}`);
  const shares = [...figures].map(
    ([name, runs]) => `${name} ${(100 * medianOf(runs.map(({ allowed }) => allowed))).toFixed(1)} %`,
  );
  say(`  answered 2xx: ${shares.join(', ')}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main().catch(endWith);

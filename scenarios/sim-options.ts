// The command line of `npm run sim`.

import { getHeapStatistics } from 'node:v8';
import { commandLine, whole } from '../chaos/command-line.ts';
import { UsageError } from '../chaos/errors.ts';
import { wrapped } from '../chaos/printable.ts';
import { keepsHistory } from '../chaos/simulation/judged-world.ts';
import type { Plan } from '../chaos/simulation/plan.ts';
import { type Situation, situationOf, situations } from '../chaos/simulation/situations.ts';

const usage = `npm run sim [-- --scenario NAME --instances N --seeds N --seed S --minutes M
                --rate N --faults I,J --json]
npm run sim -- --plan policies.yaml [--policy NAME] [--instances N]`;

/** What `--help` says, in lines of at most 80 columns. */
const help = `${usage}\n\nScenarios\n\n${situations
  .flatMap(({ name, hypothesis }) =>
    wrapped(hypothesis, 64).map((text, i) => `  ${(i === 0 ? name : '').padEnd(13)}${text}`),
  )
  .join('\n')}`;

/** One world, as a command line says it. */
export interface WorldOptions {
  readonly situation: Situation;
  readonly seed: number;
  readonly instances: number;
  readonly minutes: number;
  readonly rate: number | undefined;
  /** Of the faults of the plan, those that are put on, by their number from 0; all when undefined. */
  readonly faults: readonly number[] | undefined;
}

export interface SimOptions extends WorldOptions {
  /** So many worlds, of this seed and those that follow. */
  readonly seeds: number;
  /** A file of policies, to say what they cost; then nothing else is asked. */
  readonly plan: string | undefined;
  /** Of that file, the only one that is asked for. */
  readonly policy: string | undefined;
  /** One document in the place of lines. */
  readonly json: boolean;
}

const seedMax = 0x7fffffff;
const minutesRange = { min: 0.3, max: 600 };

/** Throws a `UsageError` that names the option, its value and what is allowed. */
export function simOptions(args: readonly string[]): SimOptions {
  const values = parsed(args);
  if (values.policy !== undefined && values.plan === undefined)
    throw new UsageError(`--policy is of a file of policies: --plan FILE.\n${usage}`);
  if (values.plan !== undefined) assertNoneOfWorlds(values);
  const seeds = whole('--seeds', values.seeds ?? (values.seed === undefined ? '20' : '1'), 1, 1_000_000);
  const seed = whole('--seed', values.seed ?? String(Date.now() % 1_000_000), 0, seedMax - seeds);
  return {
    situation: situationOf(values.scenario ?? 'storm'),
    seed,
    seeds,
    instances: whole('--instances', values.instances, 1, 100_000),
    minutes: minutesIn(values.minutes ?? '0.5'),
    rate: values.rate === undefined ? undefined : whole('--rate', values.rate, 1, 1_000_000),
    faults: values.faults === undefined ? undefined : numbersIn(values.faults),
    plan: values.plan,
    policy: values.policy,
    json: values.json ?? false,
  };
}

function parsed(args: readonly string[]) {
  return commandLine(
    {
      args: [...args],
      options: {
        scenario: { type: 'string' },
        instances: { type: 'string', default: '20' },
        seeds: { type: 'string' },
        seed: { type: 'string' },
        minutes: { type: 'string' },
        rate: { type: 'string' },
        faults: { type: 'string' },
        plan: { type: 'string' },
        policy: { type: 'string' },
        json: { type: 'boolean' },
      },
    },
    usage,
    help,
  ).values;
}

const ofWorlds = ['scenario', 'seed', 'seeds', 'minutes', 'rate', 'faults', 'json'] as const;

/** A table of costs is of fixed worlds. */
function assertNoneOfWorlds(values: ReturnType<typeof parsed>): void {
  const said = ofWorlds.find((name) => values[name] !== undefined);
  if (said === undefined) return;
  throw new UsageError(`--${said} is of worlds that are judged, and --plan FILE prints a table.\n${usage}`);
}

function minutesIn(text: string): number {
  const { min, max } = minutesRange;
  const minutes = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && minutes >= min && minutes <= max) return minutes;
  throw new UsageError(`--minutes is "${text}"; allowed: a number from ${min} to ${max}.`);
}

function numbersIn(text: string): number[] {
  const words = text === '' ? [] : text.split(',');
  const numbers = new Set(words.map(Number));
  if (words.every((word) => /^\d+$/.test(word)) && numbers.size === words.length) return [...numbers];
  throw new UsageError(
    `--faults is "${text}"; allowed: numbers of faults from 0, each once, with commas between them.`,
  );
}

/** The plan that the options ask for. Throws a `UsageError` for a fault that it does not have. */
export function planOf({ situation, seed, faults: only, ...options }: WorldOptions): Plan {
  const plan = situation.planOf(seed, options);
  if (only === undefined) return plan;
  const last = plan.faults.length - 1;
  const faults = only.map((i) => {
    const fault = plan.faults[i];
    if (fault) return fault;
    throw new UsageError(`--faults names ${i}; allowed: from 0 to ${last}, the faults of seed ${seed}.`);
  });
  return { ...plan, faults };
}

/** The command line that lives through that world again. */
export function commandOf({ situation, seed, instances, minutes, rate, faults }: WorldOptions): string {
  const words = [
    ...(situation.name === 'storm' ? [] : ['--scenario', situation.name]),
    ...['--seed', seed, '--instances', instances, '--minutes', minutes],
    ...(rate === undefined ? [] : ['--rate', rate]),
    ...(faults === undefined ? [] : [`--faults=${faults.join(',')}`]), // with none of them a shell would leave no word
  ];
  return `npm run sim -- ${words.join(' ')}`;
}

/**
 * Measured: of one instance that has been asked for 500 keys with Redis and without (110 kB), of one answer that is kept,
 * and of all else.
 */
const bytes = { instance: 150_000, answer: 1500, else: 300_000_000 };

/** Throws a `UsageError` when the world would not find room in this process's memory. */
export function assertRoom(plan: Plan): void {
  const answers = keepsHistory(plan) ? (plan.rate * plan.durationMs) / 1000 : 0;
  const needed = bytes.else + plan.instances * bytes.instance + answers * bytes.answer;
  const room = getHeapStatistics().heap_size_limit;
  if (needed <= room) return;
  const gigabytes = (count: number) => `${(count / 1e9).toFixed(1)} GB`;
  throw new UsageError(
    `--instances is ${plan.instances}: such a world needs about ${gigabytes(needed)} of memory, and this process has room for ` +
      `${gigabytes(room)}. Take fewer, or set NODE_OPTIONS=--max-old-space-size=${Math.ceil(needed / 1e6)}.`,
  );
}

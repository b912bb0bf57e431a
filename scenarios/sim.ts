// `npm run sim`: whole fleets in one process and in virtual time, that run the service's own code.

import { createHash } from 'node:crypto';
import '../chaos/command.ts';
import { type Verdict, worstOf } from '../chaos/checks/check.ts';
import { endWith, exitStatus, interruption } from '../chaos/errors.ts';
import { effectOf } from '../chaos/simulation/faults.ts';
import { type Judged, judge } from '../chaos/simulation/judged-world.ts';
import type { Plan } from '../chaos/simulation/plan.ts';
import { assertRoom, commandOf, planOf, type SimOptions, simOptions, type WorldOptions } from './sim-options.ts';
import { sayCosts } from './sim-plan.ts';
import { SimProgress } from './sim-progress.ts';
import { failing, shrunk } from './sim-shrink.ts';
import { service } from './simulated/limiter.ts';

/** A world that did not pass. */
interface Found {
  readonly seed: number;
  readonly checks: Judged['checks'];
  /** Of a *fail*: lives through the smallest world again that fails. */
  readonly smallest?: string;
}

async function main(): Promise<number> {
  const options = simOptions(process.argv.slice(2));
  const signal = interruption('nothing was started that had to be ended');
  const { plan, policy, instances } = options;
  if (plan !== undefined) {
    await sayCosts({ plan, policy, instances }, (line) => process.stdout.write(`${line}\n`), signal);
    return exitStatus.pass;
  }
  return exitStatus[await simulate(options, signal)];
}

async function simulate(options: SimOptions, signal: AbortSignal): Promise<Verdict> {
  const { seeds, instances, json, situation } = options;
  const progress = json ? undefined : new SimProgress(options, process.stderr);
  const lived = (plan: Plan) => judge(plan, service, signal, progress ? [progress] : []);
  const say = (line: string) => {
    progress?.clear();
    if (!json) process.stdout.write(`${line}\n`);
  };
  const hashes = createHash('sha256');
  const verdicts: Verdict[] = [];
  const found: Found[] = [];
  let answers = 0;
  for (let i = 0; i < seeds; i++) {
    const world: WorldOptions = { ...options, seed: options.seed + i };
    const plan = planOf(world);
    if (i === 0) assertRoom(plan);
    progress?.begin();
    const judged = await lived(plan);
    hashes.update(judged.hash);
    answers += judged.answers;
    verdicts.push(judged.verdict);
    if (seeds === 1) for (const line of linesOf(plan, judged, options.faults)) say(line);
    if (judged.verdict === 'pass') continue;
    const checks = judged.checks.filter(({ verdict }) => verdict === judged.verdict);
    for (const { name, verdict, detail } of checks) say(`seed ${world.seed}: ${name} ${verdict}: ${detail}`);
    const isWrong = judged.verdict === 'fail';
    const smallest = isWrong ? commandOf(await shrunk(world, failing(judged), lived)) : undefined;
    if (smallest !== undefined) say(`smallest that fails: ${smallest}`);
    found.push({ seed: world.seed, checks, ...(smallest !== undefined && { smallest }) });
  }
  const verdict = worstOf(verdicts);
  const passed = verdicts.filter((each) => each === 'pass').length;
  const hash = hashes.digest('hex').slice(0, 16);
  const of = seeds === 1 ? `seed ${options.seed}` : `${passed} of ${seeds} seeds from ${options.seed}`;
  say(`${verdict.toUpperCase()} ${situation.name}: ${of}, ${instances} instances, ${answers} answers, hash ${hash}`);
  if (json) {
    const { seed, minutes } = options;
    const asked = { scenario: situation.name, seed, seeds, instances, minutes };
    process.stdout.write(`${JSON.stringify({ ...asked, verdict, passed, answers, hash, found }, null, 2)}\n`);
  }
  return verdict;
}

/** The faults of a world, and what each check says. `numbers`: by which they were asked for, if not all were. */
function linesOf({ faults }: Plan, { checks }: Judged, numbers?: readonly number[]): string[] {
  return [
    ...faults.map(({ kind, atMs, forMs, instances, size }, i) => {
      const who = instances.length > 0 ? `${instances.length} instances` : 'Redis';
      const about = `${kind} of ${who}, size ${size}: ${effectOf(kind).about}`;
      return `fault ${numbers?.[i] ?? i}, ${atMs / 1000} s for ${forMs / 1000} s: ${about}`;
    }),
    ...checks.map(({ name, verdict, detail }) => `${name.padEnd(18)}${verdict.padEnd(16)}${detail}`),
  ];
}

await main().then((status) => {
  process.exitCode = status;
}, endWith);

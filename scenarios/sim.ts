// `npm run sim`: whole fleets in one process and in virtual time, that run the service's own code.

import { createHash } from 'node:crypto';
import '../chaos/command.ts';
import { type Verdict, worstOf } from '../chaos/checks/check.ts';
import { endWith, exitStatus, interruption } from '../chaos/errors.ts';
import { effectOf } from '../chaos/simulation/faults.ts';
import { type Judged, judge } from '../chaos/simulation/judged-world.ts';
import type { Plan } from '../chaos/simulation/plan.ts';
import { assertRoom, commandOf, planOf, type SimOptions, simOptions, type WorldOptions } from './sim-options.ts';
import { costTable } from './sim-plan.ts';
import { failing, shrunk } from './sim-shrink.ts';
import { service } from './simulated/limiter.ts';

async function main(): Promise<number> {
  const options = simOptions(process.argv.slice(2));
  const signal = interruption('nothing was started that had to be ended');
  const { plan, policy, instances } = options;
  if (plan !== undefined) {
    process.stdout.write(`${await costTable({ plan, policy, instances }, signal)}\n`);
    return exitStatus.pass;
  }
  return exitStatus[await simulate(options, signal)];
}

async function simulate(options: SimOptions, signal: AbortSignal): Promise<Verdict> {
  const lived = (plan: Plan) => judge(plan, service, signal);
  const hashes = createHash('sha256');
  const verdicts: Verdict[] = [];
  let answers = 0;
  for (let i = 0; i < options.seeds; i++) {
    const world: WorldOptions = { ...options, seed: options.seed + i };
    const plan = planOf(world);
    if (i === 0) assertRoom(plan);
    const judged = await lived(plan);
    hashes.update(judged.hash);
    answers += judged.answers;
    verdicts.push(judged.verdict);
    if (options.seeds === 1) tellAll(plan, judged);
    if (judged.verdict !== 'pass') await tellWorst(world, judged, lived);
  }
  const verdict = worstOf(verdicts);
  const passed = verdicts.filter((each) => each === 'pass').length;
  const of = options.seeds === 1 ? `seed ${options.seed}` : `${passed} of ${options.seeds} seeds from ${options.seed}`;
  const { name } = options.situation;
  process.stdout.write(
    `${verdict.toUpperCase()} ${name}: ${of}, ${options.instances} instances, ${answers} answers, hash ${hashes.digest('hex').slice(0, 16)}\n`,
  );
  return verdict;
}

function tellAll({ faults }: Plan, { checks }: Judged): void {
  for (const [i, { kind, atMs, forMs, instances, size }] of faults.entries()) {
    const who = instances.length > 0 ? `${instances.length} instances` : 'Redis';
    const about = `${kind} of ${who}, size ${size}: ${effectOf(kind).about}`;
    process.stdout.write(`fault ${i}, ${atMs / 1000} s for ${forMs / 1000} s: ${about}\n`);
  }
  for (const { name, verdict, detail } of checks)
    process.stdout.write(`${name.padEnd(18)}${verdict.padEnd(16)}${detail}\n`);
}

async function tellWorst(world: WorldOptions, judged: Judged, lived: (plan: Plan) => Promise<Judged>): Promise<void> {
  const worst = judged.checks.filter(({ verdict }) => verdict === judged.verdict);
  for (const { name, verdict, detail } of worst)
    process.stdout.write(`seed ${world.seed}: ${name} ${verdict}: ${detail}\n`);
  if (judged.verdict !== 'fail') return;
  process.stdout.write(`smallest that fails: ${commandOf(await shrunk(world, failing(judged), lived))}\n`);
}

await main().then((status) => {
  process.exitCode = status;
}, endWith);

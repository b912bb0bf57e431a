// The workflow and the action are held to what they name, and what they run is run: nobody notices otherwise until a push.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { refusal } from '../../chaos/drivers/choose.ts';
import { scenarios } from '../../scenarios/index.ts';
import { projectDirectory, temporaryDirectory } from '../support/lab-processes.ts';

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly permissions?: unknown; readonly steps: readonly Step[] }>>;
}

interface Action {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly runs: { readonly steps: readonly Step[] };
}

const textOf = (file: string) => readFileSync(join(projectDirectory, file), 'utf8');
const workflowText = textOf('.github/workflows/chaos.yml');
const actionText = textOf('.github/actions/chaos/action.yml');
const workflow = parse(workflowText) as Workflow;
const action = parse(actionText) as Action;
const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
const steps = [...Object.values(workflow.jobs).flatMap((job) => job.steps), ...action.runs.steps];

/** What others could change under us: not of this repository, and named by something else than a commit. */
function unpinned(among: readonly Step[]): string[] {
  return among
    .flatMap(({ uses }) => (uses === undefined || uses.startsWith('./') ? [] : [uses]))
    .filter((uses) => !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(uses));
}

/** Scripts that npm is asked for and package.json has not. */
function unknownScripts(among: readonly Step[]): string[] {
  return among
    .flatMap(({ run = '' }) => [...run.matchAll(/\bnpm (?:run (?:--?\S+ )*([\w:-]+)|(test|start)\b)/g)])
    .map(([, ran, short]) => ran ?? short ?? '')
    .filter((name) => !(name in scripts));
}

/** The `name` of every `${{ … inputs.name … }}`. */
function inputsIn(text: string): Set<string> {
  const expressions = [...text.matchAll(/\$\{\{(.*?)\}\}/g)].map(([, expression = '']) => expression);
  return new Set(expressions.flatMap((it) => [...it.matchAll(/\binputs\.([\w-]+)/g)].map(([, name = '']) => name)));
}

/** Every `steps.id.outputs.name` that no step of that id writes. */
function unwritten(text: string, among: readonly Step[]): string[] {
  return [...text.matchAll(/\bsteps\.([\w-]+)\.outputs\.([\w-]+)/g)]
    .filter(([, id, name]) => !among.some((step) => step.id === id && step.run?.includes(`echo "${name}=`)))
    .map(([whole]) => whole);
}

const expression = (inner: string) => `\${{ ${inner} }}`;
const runOf = (among: readonly Step[], id: string) => among.find((step) => step.id === id)?.run ?? '';

/** Runs a step as a runner does, and gives its status, what it wrote for later steps and its summary. */
function runStep(script: string, cwd: string, temporary: string, env: Readonly<Record<string, string>>) {
  const [GITHUB_OUTPUT, GITHUB_STEP_SUMMARY] = [join(temporary, 'output'), join(temporary, 'summary')];
  for (const file of [GITHUB_OUTPUT, GITHUB_STEP_SUMMARY]) writeFileSync(file, '');
  const { status, stderr } = spawnSync('bash', ['-e', '-c', script], {
    cwd,
    encoding: 'utf8',
    env: { HOME: temporary, RUNNER_TEMP: temporary, GITHUB_OUTPUT, GITHUB_STEP_SUMMARY, ...env },
  });
  return {
    status,
    stderr,
    output: readFileSync(GITHUB_OUTPUT, 'utf8'),
    summary: readFileSync(GITHUB_STEP_SUMMARY, 'utf8'),
  };
}

/** A directory of programs that holds these and no others. */
function onlyPrograms(directory: string, programs: Readonly<Record<string, string>>): string {
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  for (const [name, path] of Object.entries(programs)) symlinkSync(path, join(bin, name));
  return bin;
}
const which = (name: string) => realpathSync(execFileSync('which', [name], { encoding: 'utf8' }).trim());

describe('the workflow and the action', () => {
  it('use what is of other repositories at a commit', () => {
    expect(unpinned(steps)).toEqual([]);
    const bad = [
      'actions/checkout@v4',
      'actions/checkout',
      'o/r/path@main',
      'docker://node:24',
      `o/r@${'0'.repeat(39)}`,
    ];
    expect(
      unpinned([...bad, './.github/actions/chaos', `o/r/path@${'0'.repeat(40)}`].map((uses) => ({ uses }))),
    ).toEqual(bad);
  });

  it('use of this repository what is there, with inputs that it has', () => {
    const own = steps.filter(({ uses }) => uses?.startsWith('./'));
    expect(own.length).toBeGreaterThan(0);
    for (const { uses = '', with: given = {} } of own) {
      expect(existsSync(join(projectDirectory, uses, 'action.yml')), uses).toBe(true);
      expect(Object.keys(action.inputs)).toEqual(expect.arrayContaining(Object.keys(given)));
    }
  });

  it('may read the repository and nothing else', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(Object.values(workflow.jobs).filter(({ permissions }) => permissions !== undefined)).toEqual([]);
  });

  it('ask npm for scripts that package.json has', () => {
    expect(unknownScripts(steps)).toEqual([]);
    const run = 'npm ci && npm run chek\nx=$(npm run --silent suit -- x)\nnpm run check\nnpm test';
    expect(unknownScripts([{ run }])).toEqual(['chek', 'suit']);
  });

  it('use every input there is and no other, and outputs that a step writes', () => {
    expect([...inputsIn(actionText)].sort()).toEqual(Object.keys(action.inputs).sort());
    expect(inputsIn(`${expression('inputs.a-b || inputs.c')} inputs.d`)).toEqual(new Set(['a-b', 'c']));
    expect([...unwritten(workflowText, steps), ...unwritten(actionText, action.runs.steps)]).toEqual([]);
    expect(unwritten(expression('steps.run.outputs.run'), action.runs.steps)).toEqual(['steps.run.outputs.run']);
  });
});

describe('the job that lists the scenarios', () => {
  it('gives as JSON the names of those that their jobs can run, with no program but those that Node brings', () => {
    using temporary = temporaryDirectory();
    const programs = { node: process.execPath, npm: which('npm'), sh: which('sh'), bash: which('bash') };
    const PATH = onlyPrograms(temporary.path, programs);
    const { status, stderr, output } = runStep(
      runOf(workflow.jobs.list?.steps ?? [], 'list'),
      projectDirectory,
      temporary.path,
      { PATH },
    );
    const ofContainers = scenarios.filter((scenario) => refusal('containers', scenario) === undefined);
    const names = JSON.stringify(ofContainers.map(({ name }) => name));
    expect(ofContainers.length).toBeLessThan(scenarios.length);
    expect({ status, stderr, output }).toEqual({ status: 0, stderr: '', output: `scenarios=${names}\n` });
  });
});

describe('the action', () => {
  const run = (asked: { SCENARIOS?: string; SHARD?: string; STORM_MINUTES?: string }, status: number) => {
    using temporary = temporaryDirectory();
    const npm = join(temporary.path, 'npm');
    writeFileSync(npm, `#!/bin/sh\necho "$@"\nexit ${status}\n`, { mode: 0o755 });
    const programs = { npm, bash: which('bash'), cat: which('cat'), tee: which('tee') };
    const given = { SCENARIOS: '', SHARD: '', STORM_MINUTES: '', DRIVER: 'containers', SEED: '7', ...asked };
    const env = { PATH: onlyPrograms(temporary.path, programs), ...given };
    const ran = runStep(runOf(action.runs.steps, 'run'), temporary.path, temporary.path, env);
    return JSON.parse(JSON.stringify(ran).replaceAll(temporary.path, '/tmp')) as typeof ran;
  };

  it.each([
    ['all scenarios', {}, 'suite --'],
    ['those that are named', { SCENARIOS: 'baseline  partition' }, 'suite -- baseline partition'],
    ['a share of them', { SHARD: '2/4' }, 'suite -- --shard 2/4'],
    ['a storm', { STORM_MINUTES: '10' }, 'scenario -- storm --minutes 10'],
  ])('runs %s and writes the results where the next step finds them', (_what, asked, passed) => {
    const said = `run --silent ${passed} --driver containers --seed 7 --out /tmp/chaos-runs`;
    expect(run(asked, 0)).toEqual({
      status: 0,
      stderr: '',
      output: 'runs=/tmp/chaos-runs\n',
      summary: `\`\`\`\n${said}\n\`\`\`\n`,
    });
  });

  it.each([1, 2, 255])('ends with the status of the suite, %i, and its summary all the same', (status) => {
    expect(run({}, status)).toMatchObject({ status, summary: expect.stringContaining('suite') });
  });

  it('keeps what the run has left, by a path in which nothing leads upwards', () => {
    const [upload, ...others] = action.runs.steps.filter(({ uses }) => uses?.startsWith('actions/upload-artifact@'));
    expect(others).toEqual([]);
    expect(upload?.with?.path?.trim().split('\n')).toEqual([
      expression('steps.run.outputs.runs'),
      `!${expression('steps.run.outputs.runs')}/latest/**`,
    ]);
  });
});

// The lab as the console sees it: one thing at a time, a scenario or a session by hand, each in a process of its own that
// also runs without a console. What happens in it is read from its events.ndjson.
//
//   POST ─▶ lab ── starts, SIGINT ──▶ scenarios/main.ts, or manual.ts ──▶ runs/…/events.ndjson
//            └──── every half second: what is new ◀──────────────────────────┘

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { explained } from '../errors.ts';

import type { HistoryEvent } from '../history.ts';
import { printable } from '../printable.ts';
import { seconds } from '../report/figures.ts';
import { verdictSentence } from '../report/story.ts';
import type { Scenario } from '../scenario.ts';
import { Following } from './following.ts';
import { LiveRun } from './live-run.ts';
import type { FromSession, ManualPlan, ToSession } from './manual.ts';
import type { Activity, Feed, Outcomes, Switch } from './messages.ts';
import { type PastRuns, reportPath } from './past-runs.ts';
import type { RunRequest, SwitchRequest } from './requests.ts';

const tickMs = 500;
const logMax = 300;
/** Characters of a line of the log. */
const lineMax = 4000;
/** A session by hand ends by itself. */
const manualMsMax = 600_000;
const program = (...path: string[]) => join(import.meta.dirname, '..', '..', ...path);

/** Something else is going on. */
export class Busy extends Error {
  override readonly name = 'Busy';
}

type Publish = <K extends keyof Feed>(name: K, data: Feed[K]) => void;
type Working = Exclude<Activity, { state: 'idle' }>;

export class Lab {
  readonly #scenarios: readonly Scenario[];
  readonly #past: PastRuns;
  readonly #publish: Publish;
  readonly #log: string[] = [];
  #activity: Activity = { state: 'idle' };
  #last: Outcomes | null = null;
  #switches: readonly Switch[] = [];
  #live: LiveRun | undefined;
  #child: ChildProcess | undefined;
  #over: Promise<void> = Promise.resolve();

  constructor(scenarios: readonly Scenario[], past: PastRuns, publish: Publish) {
    this.#scenarios = scenarios;
    this.#past = past;
    this.#publish = publish;
  }

  get switches(): readonly Switch[] {
    return this.#switches;
  }

  /** All but the facts, for somebody who begins to look. */
  get state(): Omit<Feed, 'facts'> {
    return {
      status: this.#status,
      live: this.#live?.everything() ?? null,
      log: { all: true, lines: this.#log },
      runs: this.#past.newest(),
    };
  }

  runScenario(request: RunRequest): void {
    const { scenario, driver, seed, rate } = request;
    const known = this.#scenarios.find(({ name }) => name === scenario);
    const plannedMs = known ? known.timing.durationMs : 0;
    const options = { driver, seed: String(seed), rate: String(rate), out: this.#past.directory };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    this.#start('scenario', request, plannedMs, [program('scenarios', 'main.ts'), scenario, ...args]);
  }

  runByHand(request: RunRequest): void {
    const like = this.#scenarios.find(({ faults = [] }) => faults.length === 0) ?? this.#scenarios[0];
    this.#start('manual', request, manualMsMax, [program('chaos', 'console', 'manual.ts')]);
    const plan: ManualPlan = {
      ...request,
      out: this.#past.directory,
      durationMs: manualMsMax,
      keys: like?.keys ?? { count: 1, skew: 1 },
      service: like?.service ?? {},
    };
    this.#send({ plan });
  }

  switch(request: SwitchRequest): void {
    const { state } = this.#activity;
    if (state === 'stopping' || state === 'judging')
      throw new Busy('The session by hand is at its end: it heals everything.');
    this.#send({ switch: request });
  }

  /** Heals and ends whatever is going on; resolves when it is over. */
  async stop(): Promise<void> {
    const activity = this.#activity;
    if (activity.state !== 'idle' && activity.state !== 'stopping') {
      this.#become({ ...activity, state: 'stopping' });
      this.#child?.kill('SIGINT');
    }
    await this.#over;
  }

  #start(mode: Working['mode'], request: RunRequest, plannedMs: number, args: string[]): void {
    if (this.#activity.state !== 'idle') {
      throw new Busy(`${this.#activity.scenario} is ${this.#activity.state}: one run at a time. Stop it, or wait.`);
    }
    const { scenario, seed, driver } = request;
    const before = new Set(this.#past.names());
    this.#log.length = 0;
    this.#live = undefined;
    this.#last = null;
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe', ...(mode === 'manual' ? (['ipc'] as const) : [])],
      detached: true, // a Ctrl-C at the terminal reaches the console alone, which then ends it in order
    });
    this.#child = child;
    this.#become({ state: 'starting', mode, scenario, seed, driver });
    this.#publish('log', { all: true, lines: [] });
    this.#publish('live', null);
    let unfinishedLine = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (unfinishedLine + text).split('\n');
      unfinishedLine = lines.pop()?.slice(-lineMax) ?? '';
      this.#note(lines.filter((line) => line !== '' && !line.startsWith(`${scenario}: `)));
    });
    child.on('message', ({ switches }: FromSession) => {
      this.#switches = switches;
      this.#publish('status', this.#status);
    });
    const following = new Following(this.#past, before, `Z-${scenario}-${seed}`);
    const timer = setInterval(() => this.#look(following, plannedMs), tickMs);
    this.#over = new Promise((resolve) => {
      child.once('close', (status) => {
        clearInterval(timer);
        this.#look(following, plannedMs);
        following[Symbol.dispose]();
        this.#ended(request, following.name, status).then(resolve);
      });
      child.once('error', (error) => this.#note([error.message]));
    });
  }

  #look(following: Following, plannedMs: number): void {
    const events = this.#newIn(following);
    const activity = this.#activity;
    if (events.length === 0 || activity.state === 'idle') return;
    const run = events.find((event) => event.type === 'run');
    if (run) {
      this.#live = new LiveRun(run, plannedMs);
      if (activity.state === 'starting') this.#become({ ...activity, state: 'running', driver: run.driver });
    }
    if (!this.#live) return;
    this.#live.take(events);
    const update = this.#live.update();
    this.#publish('live', run ? this.#live.everything() : update);
    this.#note(events.flatMap(lineOf));
    const isEnd = events.some((event) => event.type === 'phase' && event.phase === 'end');
    if (isEnd && activity.state === 'running') this.#become({ ...activity, state: 'judging' });
  }

  #newIn(following: Following): HistoryEvent[] {
    try {
      return following.read();
    } catch (error) {
      this.#note([`what happens cannot be shown: ${explained(error)}`]);
      return [];
    }
  }

  async #ended({ scenario, seed }: RunRequest, name: string | undefined, status: number | null): Promise<void> {
    const wasStopped = this.#activity.state === 'stopping';
    const journal = name === undefined ? undefined : this.#past.journal(name);
    if (name !== undefined && !journal && this.#live) await reportOn(join(this.#past.directory, name));
    const outcome = journal
      ? { verdict: journal.verdict, sentence: verdictSentence(journal) }
      : wasStopped
        ? { verdict: 'stopped' as const, sentence: 'Everything that was started has been ended, and the fault healed.' }
        : { verdict: 'broken' as const, sentence: this.#log.at(-1) ?? `It ended with status ${status}.` };
    const report = name !== undefined && this.#past.hasReport(name) ? reportPath(name) : null;
    this.#last = { scenario, seed, ...outcome, report };
    this.#switches = [];
    this.#child = undefined;
    this.#note([`${scenario}: ${outcome.verdict}`]);
    this.#become({ state: 'idle' });
    this.#publish('runs', this.#past.newest());
  }

  get #status(): Feed['status'] {
    return { activity: this.#activity, last: this.#last, switches: this.#switches };
  }

  #become(activity: Activity): void {
    this.#activity = activity;
    this.#publish('status', this.#status);
  }

  #send(message: ToSession): void {
    if (this.#child?.connected) this.#child.send(message);
  }

  #note(lines: readonly string[]): void {
    if (lines.length === 0) return;
    const shown = lines.map((line) => printable(line).slice(0, lineMax));
    this.#log.push(...shown);
    this.#log.splice(0, Math.max(0, this.#log.length - logMax));
    this.#publish('log', { all: false, lines: shown });
  }
}

/** A line of the log; none for what a lane shows by the hundred. */
function lineOf(event: HistoryEvent): string[] {
  if (event.type === 'phase')
    return [`${seconds(event.atMs)}  ${event.phase === 'end' ? 'end' : `${event.phase} begins`}`];
  if (event.type === 'breaker') return [`${seconds(event.atMs)}  ${event.instance}: ${event.from} to ${event.to}`];
  if (event.type !== 'fault') return [];
  const done = event.action === 'inject' ? 'put on' : 'taken off';
  return [`${seconds(event.endMs)}  ${event.fault} ${done} ${event.target}`];
}

/** Of a run that was stopped: what there is of it. */
function reportOn(directory: string): Promise<void> {
  return new Promise((resolve) => {
    const args = [program('chaos', 'report', 'main.ts'), directory];
    const child = spawn(process.execPath, args, { stdio: 'ignore', timeout: 60_000 });
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
}

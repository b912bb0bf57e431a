// The lab's own metrics while a run lasts: what it does to the limiter, and what the clients see of it. The run's
// Prometheus scrapes them beside the limiter's, so that one picture holds both.
//
//   generator ──100 ms──▶ recorder ──▶ lab metrics ◀──1 s── Prometheus
//
// Where that Prometheus stands the driver knows, so it is the driver that has them listen: on the one address of this
// machine on which that Prometheus reaches them, never on all. They are fed with the events of the history and only
// count, so that they cost the runner next to nothing in the milliseconds that a run is about. Every label set is there
// from the start of the run.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CheckResult } from '../checks/check.ts';
import { KeyAccount, LossesSoFar } from '../checks/key-account.ts';
import { within } from '../clock.ts';
import type { LabMetricsPage } from '../environment.ts';
import { giveUpMs } from '../failure.ts';
import { targetNamesOf } from '../faults/fault.ts';
import { type AnswerEvent, type HistoryEvent, latencyMs, type RunEvent, sourceKinds } from '../history.ts';
import { hotKey } from '../load/load.ts';
import { type PhaseName, phaseNames } from '../scenario.ts';
import { mechanismOf } from '../targets/mechanisms.ts';

type Arm = 'faulted' | 'control';
type ShownPhase = PhaseName | 'warm-up' | 'end';

const shownPhases: readonly ShownPhase[] = ['warm-up', ...phaseNames, 'end'];
/** A request without an answer counts as the longest wait: longer than the last edge of the histogram. */
const unansweredSeconds = giveUpMs / 1000;

export class LabMetrics implements LabMetricsPage, AsyncDisposable {
  readonly #registry = new Registry();
  readonly #server: Server;
  readonly #over = new AbortController();
  readonly #latency = new Histogram({
    name: 'chaos_request_latency_seconds',
    help: `Latency that a client saw, from the instant at which the request was scheduled; ${unansweredSeconds} s when unanswered.`,
    labelNames: ['arm'],
    // 9 ms is the promise; around it in steps that tell p99.9 from p99.
    buckets: [0.0005, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.009, 0.012, 0.025, 0.05, 0.1, 0.5, 2.5],
    registers: [this.#registry],
  });
  readonly #answers = new Counter({
    name: 'chaos_answers_total',
    help: 'Answers that a client got, by instance, who decided and HTTP status; status 0 is no answer.',
    labelNames: ['arm', 'limiter', 'mechanism', 'status'],
    registers: [this.#registry],
  });
  readonly #phase = new Gauge({
    name: 'chaos_phase',
    help: 'The phase of the run: 1 for the current one, 0 for the others.',
    labelNames: ['phase'],
    registers: [this.#registry],
  });
  readonly #faultActive = new Gauge({
    name: 'chaos_fault_active',
    help: 'Whether the fault is on this link now.',
    labelNames: ['fault', 'link'],
    registers: [this.#registry],
  });
  readonly #verdict = new Gauge({
    name: 'chaos_check_verdict',
    help: 'The verdict of each check of the run, once it is judged: 1.',
    labelNames: ['check', 'phase', 'verdict'],
    registers: [this.#registry],
  });
  readonly #arms = new Map<string, { arm: Arm; latency: Histogram.Internal<'arm'> }>();
  #losses: LossesSoFar | undefined;
  #hotKey: KeyAccount | undefined;

  constructor(scenario: string) {
    this.#registry.setDefaultLabels({ scenario });
    this.#server = createServer(async (_request, response) => {
      response.setHeader('Content-Type', this.#registry.contentType);
      response.end(await this.#registry.metrics());
    });
  }

  async listen(host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, host, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async scraped(msMax: number): Promise<boolean> {
    const { signal } = this.#over;
    const scraped = once(this.#server, 'request', { signal }).then(([, response]) =>
      once(response, 'finish', { signal }),
    );
    return within(msMax, scraped, () => new Error('not scraped')).then(
      () => true,
      () => false,
    );
  }

  record(event: HistoryEvent): void {
    if (event.type === 'answer') this.#answered(event);
    else if (event.type === 'run') this.#begin(event);
    else if (event.type === 'phase') this.#moveTo(event.phase);
    else if (event.type === 'placement') this.#losses?.learn(event);
    else if (event.type === 'fault') {
      this.#faultActive.set(
        {
          fault: event.fault,
          link: placeOf(
            event.target,
            [...this.#arms.keys()].map((name) => ({ name })),
          ),
        },
        event.action === 'inject' ? 1 : 0,
      );
      this.#losses?.learn(event);
    }
  }

  judged(results: readonly CheckResult[]): void {
    for (const { name, phase, verdict } of results) this.#verdict.set({ check: name, phase, verdict }, 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve())); // or never listened
    this.#server.closeAllConnections(); // Prometheus keeps its own open
    await closed;
  }

  #begin(run: RunEvent): void {
    const { instances, bounds, schedule, keySuffix = '' } = run;
    this.#moveTo('warm-up');
    for (const { name, control } of instances) {
      const arm = control ? 'control' : 'faulted';
      this.#arms.set(name, { arm, latency: this.#latency.labels(arm) });
      this.#latency.zero({ arm });
      for (const mechanism of Object.values(mechanismOf)) {
        for (const status of ['200', '429']) this.#answers.inc({ arm, limiter: name, mechanism, status }, 0);
      }
      this.#answers.inc({ arm, limiter: name, mechanism: 'none', status: '0' }, 0);
    }
    for (const { fault, reach } of schedule) {
      for (const target of targetNamesOf(reach, instances))
        this.#faultActive.set({ fault, link: placeOf(target, instances) }, 0);
    }
    this.#losses = new LossesSoFar(run);
    this.#hotKey = new KeyAccount(`${hotKey}${keySuffix}`, bounds, this.#losses.losses);
    this.#showHotKey(this.#hotKey);
  }

  #showHotKey(key: KeyAccount): void {
    new Counter({
      name: 'chaos_hot_key_admitted_total',
      help: 'Admitted requests of the most popular key, over all faulted instances, by who admitted them.',
      labelNames: ['mechanism'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const kind of sourceKinds) this.inc({ mechanism: mechanismOf[kind] }, key.admittedBy[kind]);
      },
    });
    new Gauge({
      name: 'chaos_hot_key_bound',
      help: 'Requests of the most popular key that may have been admitted at most until now.',
      registers: [this.#registry],
      collect() {
        this.set(key.boundAt(Number.POSITIVE_INFINITY));
      },
    });
  }

  #answered(answer: AnswerEvent): void {
    const { instance, source, status, key } = answer;
    const of = this.#arms.get(instance);
    if (!of) return;
    of.latency.observe(Math.min(latencyMs(answer) / 1000, unansweredSeconds));
    const mechanism = source === null || source === 'none' ? 'none' : mechanismOf[source];
    this.#answers.inc({ arm: of.arm, limiter: instance, mechanism, status });
    if (of.arm === 'faulted' && key === this.#hotKey?.key) this.#hotKey.enter(answer);
  }

  #moveTo(phase: ShownPhase): void {
    for (const shown of shownPhases) this.#phase.set({ phase: shown }, shown === phase ? 1 : 0);
  }
}

/** The store link of an instance, or the store itself. */
function placeOf(target: string, instances: readonly { readonly name: string }[]): string {
  return instances.some(({ name }) => name === target) ? `${target}-store` : target;
}

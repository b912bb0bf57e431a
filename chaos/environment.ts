// What a driver gives to the runner: limiter instances, each with a front and a store link, and a Redis to break.
//
//   load ──▶ front link ──▶ instance ──▶ store link ──▶ Redis
//                                  └───▶ or, without a store link, to every node of a cluster or under Sentinels

import type { Lever, Topology, WithoutStore } from './scenario.ts';
import type { Target } from './targets/target.ts';

export interface Instance {
  readonly name: string;
  /** Its links are never faulted, and its Redis is another one. */
  readonly control: boolean;
  /** Where load is sent: its front link. */
  readonly frontUrl: string;
  /** Name of the front link's proxy in Toxiproxy; absent where the lab has no lever `front-toxics`. */
  readonly frontProxy?: string;
  /** The instance itself, for what only observes it. */
  readonly url: string;
  readonly storeLink: StoreLink;
  /** Absent where the driver has no lever `limiter-process`. */
  readonly process?: Restartable;
  /** Absent where nothing of the run needs the lever `limiter-clock`. */
  readonly clock?: Omit<ProgramClock, 'setAhead'>;
}

/** What a program takes for the time. */
export interface ProgramClock {
  /** Sets the time of day so many whole seconds ahead of the machine's, or behind by what is negative. */
  setAhead(seconds: number): Promise<void>;
  /** From now on all its clocks gain so many whole parts in a million on the machine's, or lose what is negative. What they gained stays. */
  setDrift(ppm: number): Promise<void>;
  /** What they had gained when the program last asked for the time. */
  gainedMs(): number;
}

/** The way to Redis on which a fault shows. */
export interface StoreLink {
  /** Name of its proxy in Toxiproxy; undefined where the instance finds its Redis itself, and reaches it directly. */
  readonly proxy: string | undefined;
  readonly host: string;
  readonly port: number;
  /** The address of Redis's at which this link's connections arrive, and no others. Absent where they share one. */
  readonly arrivesAt?: string;
  /** Absent where nothing of the run needs the lever `netns`. */
  readonly packets?: PacketFilter;
}

/** Which way something goes on a link: to Redis, or from it. */
export type Stream = 'upstream' | 'downstream';

/** What can drop the packets of a link, so that neither end of a connection hears of it. */
export interface PacketFilter {
  /** All that go this way, from now on. */
  drop(stream: Stream): Promise<void>;
  /** None any more. Safe to call when none were. */
  pass(stream: Stream): Promise<void>;
}

/** A toxic as data; `attributes` in the units of Toxiproxy's documentation (latency and timeout in ms). */
export interface Toxic {
  /** Of its own on its proxy. */
  readonly name: string;
  readonly type: 'timeout' | 'latency' | 'bandwidth' | 'slicer' | 'reset_peer' | 'slow_close' | 'limit_data';
  readonly stream: Stream;
  readonly attributes: Readonly<Record<string, number>>;
  /** The share of the connections that it is on, drawn for each; all without it. */
  readonly toxicity?: number;
}

/** Toxiproxy, as far as a fault needs it. */
export interface Toxics {
  addToxic(proxyName: string, toxic: Toxic): Promise<void>;
  /** Gives its attributes to the one on the proxy that has its name. */
  changeToxic(proxyName: string, toxic: Toxic): Promise<void>;
  /** Takes those off the proxy that have one of the names. */
  removeToxics(proxyName: string, names: readonly string[]): Promise<void>;
  /** Whether the proxy listens; one that does not has closed its connections. */
  setEnabled(proxyName: string, enabled: boolean): Promise<void>;
}

/** The Redis that the faulted instances share. */
export interface RedisHandle {
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again, empty, where it was; resolves when it answers. */
  start(): Promise<void>;
  /** The lab's own command to it, past every link. Absent where the lab does not reach it. */
  readonly command?: (name: string, ...args: string[]) => Promise<unknown>;
  /** Where it listens, past every link. Absent where the lab has no such way. */
  readonly at?: { readonly host: string; readonly port: number };
  /** Absent where nothing of the run needs the lever `redis-clock`. */
  readonly setAhead?: ProgramClock['setAhead'];
  /** Absent where the driver has no lever `redis-program`. */
  readonly program?: RedisProgram;
  /** Of a Redis of several nodes, of which `kill` always kills the same one. */
  readonly failover?: Failover;
  /** Of a Redis of several nodes: each, the one that `kill` kills first. */
  readonly nodes?: readonly NodeHandle[];
  /** Who watches those nodes, where anybody does. */
  readonly sentinels?: readonly NodeHandle[];
}

/** One of several. */
export interface NodeHandle {
  /** `host:port`, as the others and the limiters know it. */
  readonly address: string;
  /** The lab's own command to it, past every link. Rejects at once while it is away. */
  readonly command: (name: string, ...args: string[]) => Promise<unknown>;
}

/** The program that is the shared Redis. */
export interface RedisProgram extends Suspendable {
  /** Its process id, of the one that runs now. */
  readonly pid: number;
  /** Starts it again after a kill, with these settings over its own; resolves when it answers, or says that it loads. */
  startWith(settings: Readonly<Record<string, string>>): Promise<void>;
}

/** A process that can be killed and started anew at the same place. */
export interface Restartable extends Suspendable {
  /** Its process id, of the one that runs now; it leads a group of what it has started. */
  readonly pid: number;
  /** SIGKILL, to all that it has started as well; resolves when they are gone. */
  kill(): Promise<void>;
  /** Resolves when it is ready; does nothing while it runs. `args` come after its own. Rejects with a `NotReady` when it does not become so. */
  start(args?: readonly string[]): Promise<void>;
}

/** A process that does nothing but keep a processor busy, until it is told to end, or the lab is gone. */
export interface BusyProcess {
  readonly pid: number;
  /** Resolves when it is gone. Safe to repeat. */
  end(): Promise<void>;
}

/** A process that can be made to stand still, and all that it has started. */
export interface Suspendable {
  /** SIGSTOP. */
  suspend(): void;
  /** SIGCONT; does nothing while it runs. */
  resume(): void;
}

/** What whoever looks for the master is told. */
export interface Failover {
  /** `host:port` of the master that `kill` kills. */
  readonly victim: string;
  /** Who stands in the victim's place now, by the word of each that clients may ask: `host:port`, or nobody. */
  named(): Promise<readonly (string | undefined)[]>;
  /** Of a cluster: the names of all keys, by the `host:port` of the master that holds them. */
  keys?(): Promise<ReadonlyMap<string, readonly string[]>>;
}

export interface Environment extends AsyncDisposable {
  readonly driver: string;
  readonly instances: readonly Instance[];
  readonly toxiproxy: Toxics;
  readonly redis: RedisHandle;
  readonly prometheusUrl: string;
  /** Absent where the driver has no lever `prometheus-process`. */
  readonly prometheus?: Pick<RedisHandle, 'kill' | 'start'>;
  /** On the processor of that number. Absent where the driver has no lever `busy-processes`. */
  readonly startBusy?: (processor: number) => Promise<BusyProcess>;
  /** Versions and the machine, for the journal. */
  readonly versions: Readonly<Record<string, string>>;
  /** Rejects with a `LabError` when a part ends that nobody broke. */
  readonly broken: Promise<never>;
}

export interface EnvironmentOptions {
  readonly topology: Topology;
  /** Environment variables of every limiter instance. */
  readonly service: Readonly<Record<string, string>>;
  /** What the instances are to answer without their store, instead of by their fallback. */
  readonly withoutStore?: WithoutStore | undefined;
  /** The limiter under test. */
  readonly target: Target;
  /** The program of an instance, a file that Node runs; the target's own when undefined. */
  readonly limiterMain?: string | undefined;
  /** Directory that takes the parts' output. */
  readonly logs: string;
  /** What the faults of the run pull; those that others might as well are there anyway. */
  readonly needs?: ReadonlySet<Lever> | undefined;
  /** For the environment's Prometheus to scrape, which the driver sees to. */
  readonly labMetrics: LabMetricsPage;
}

/** The lab's own metrics, before anybody can reach them. */
export interface LabMetricsPage {
  /** Serves them on this address of the machine, and on no other, until the run is over. Returns the free port. */
  listen(host: string): Promise<number>;
  /** Whether they are asked for, and answered in full, from now on and within this time. */
  scraped(msMax: number): Promise<boolean>;
}

/** Starts an environment in which every instance already answers from Redis. */
export type Driver = (options: EnvironmentOptions) => Promise<Environment>;

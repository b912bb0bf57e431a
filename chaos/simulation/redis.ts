// A Redis that is nothing but the specification of its scripts, a clock, and one thread:
//
//   commands of all connections ─▶ one after another, each for its time ─▶ replies
//
// It can be away, stand still, come back empty or as a replica that lags behind, refuse writes, and have its clock set.

import { createHash } from 'node:crypto';
import { sharedStoreName } from '../scenario.ts';
import { RedisData } from './redis-data.ts';
import { Process, type VirtualTime } from './virtual-time.ts';

/** One connection as Redis knows it. */
export interface Peer {
  /** Who is at the other end. */
  readonly process: Process;
  /** Redis ends it, or says that it knows no such connection; whether the other end hears it is another matter. */
  resetByServer(): void;
}

/** What a script is run with. */
export interface Call {
  readonly data: RedisData;
  readonly keys: readonly string[];
  readonly argv: readonly string[];
  /** What `TIME` says, in microseconds. */
  readonly nowUs: number;
  /** To be told of each token that the script takes of a key's bucket. */
  readonly taken: (key: string) => void;
}

/** A script as the one who wrote it means it. */
export interface Program {
  /** Redis refuses it while it takes no writes. */
  readonly writes: boolean;
  readonly run: (call: Call) => unknown;
}

export interface Scripts {
  /** Undefined for text that is no script of the limiter's. */
  readonly programOf: (text: string) => Program | undefined;
  /** Whether a value has expired at `nowUs` of Redis's clock. */
  readonly isOver: (value: unknown, nowUs: number) => boolean;
}

export interface Command {
  readonly name: 'evalsha' | 'eval';
  /** Its hash, or its text. */
  readonly script: string;
  readonly keyCount: number;
  readonly args: readonly string[];
}

interface Waiting {
  readonly command: Command;
  readonly sentUs: number;
  readonly from: Peer;
  readonly reply: (result: unknown) => void;
}

/** Why commands are refused now. */
export type Refusal = 'oom' | 'readonly' | 'loading';

const refusals: Readonly<Record<Refusal, string>> = {
  oom: "OOM command not allowed when used memory > 'maxmemory'.",
  readonly: "READONLY You can't write against a read only replica.",
  loading: 'LOADING Redis is loading the dataset in memory',
};

/** Of one command, and of each of its keys: an EVALSHA of one key takes some 15 µs, of a hundred some 300 µs. */
const serviceUs = { command: 12, key: 3 };
/** November 2026. */
const unixUs = 1_795_491_041_000_000;

export class SimulatedRedis {
  readonly time: VirtualTime;
  readonly process: Process;
  readonly data: RedisData;
  readonly connections = new Set<Peer>();
  isUp = true;
  /** Faults that make it refuse commands now. */
  readonly refusing: Refusal[] = [];
  /** Faults that make each command take so many times as long now; the worst counts. */
  readonly slowness: number[] = [];
  /** How far its clock is ahead, in microseconds, beside its drift. */
  clockAheadUs = 0;
  readonly #scripts: Scripts;
  readonly #taken: (key: string, sentUs: number, from: Peer) => void;
  readonly #ran: () => void;
  readonly #cached = new Map<string, Program>();
  #waiting: Waiting[] = [];
  /** Where in it the first stands that was not run yet. */
  #first = 0;
  #isBusy = false;

  constructor(
    time: VirtualTime,
    scripts: Scripts,
    options: {
      readonly driftRatio: number;
      /** Told of each token that a script took, and when its command was sent. */
      readonly taken: (key: string, sentUs: number, from: Peer) => void;
      /** Told of each command. */
      readonly ran: () => void;
    },
  ) {
    this.time = time;
    this.process = new Process(sharedStoreName, options.driftRatio, true);
    this.data = new RedisData(() => time.nowUs);
    this.#scripts = scripts;
    this.#taken = options.taken;
    this.#ran = options.ran;
  }

  /** What `TIME` says, in microseconds. */
  get clockUs(): number {
    return Math.floor(unixUs + this.clockAheadUs + this.time.clockOf(this.process));
  }

  /** Runs the command once its turn has come, and has `reply` sent when it is done. */
  receive(command: Command, sentUs: number, from: Peer, reply: (result: unknown) => void): void {
    this.#waiting.push({ command, sentUs, from, reply });
    if (!this.#isBusy) this.#next();
  }

  /** It ends; its connections end with it. */
  stop(): void {
    this.isUp = false;
    this.#waiting = [];
    this.#first = 0;
    this.#cached.clear();
    for (const connection of this.connections) connection.resetByServer();
    this.connections.clear();
  }

  /** It is there again with what it holds now, and knows no script. */
  start(): void {
    this.isUp = true;
  }

  flushScripts(): void {
    this.#cached.clear();
  }

  /** Buckets that are over by the old clock are gone; Redis looks for such keys by itself, many times a second. */
  setClock(byUs: number): void {
    const nowUs = this.clockUs;
    this.data.expire((value) => this.#scripts.isOver(value, nowUs));
    this.clockAheadUs += byUs;
  }

  #next(): void {
    const next = this.#shift();
    this.#isBusy = next !== undefined;
    if (!next) return;
    const { command, sentUs, from, reply } = next;
    this.#ran();
    const result = this.#run(command, sentUs, from);
    this.time.after(this.#lastsUs(command), this.process, () => {
      if (this.connections.has(from)) reply(result);
      this.#next();
    });
  }

  /** The first that waits; those of connections that ended are of no more interest. */
  #shift(): Waiting | undefined {
    for (;;) {
      const next = this.#waiting[this.#first++];
      if (next && this.connections.has(next.from)) return next;
      if (next) continue;
      this.#waiting = [];
      this.#first = 0;
      return undefined;
    }
  }

  #lastsUs({ keyCount }: Command): number {
    const usualUs = serviceUs.command + serviceUs.key * keyCount;
    return this.slowness.length === 0 ? usualUs : usualUs * Math.max(1, ...this.slowness);
  }

  /** The reply; an `Error` where Redis would say one. */
  #run(command: Command, sentUs: number, from: Peer): unknown {
    const refusal = this.refusing.at(-1);
    if (refusal === 'loading') return new Error(refusals.loading);
    const program = this.#programOf(command);
    if (!program) return new Error('NOSCRIPT No matching script. Please use EVAL.');
    if (program.writes && refusal) return new Error(refusals[refusal]);
    const { keyCount, args } = command;
    return program.run({
      data: this.data,
      keys: args.slice(0, keyCount),
      argv: args.slice(keyCount),
      nowUs: this.clockUs,
      taken: (key) => this.#taken(key, sentUs, from),
    });
  }

  #programOf({ name, script }: Command): Program | undefined {
    if (name === 'evalsha') return this.#cached.get(script);
    const program = this.#scripts.programOf(script);
    if (!program) throw new Error(`the limiter runs a script that is not simulated: ${script}`);
    this.#cached.set(shaOf(script), program);
    return program;
  }
}

const shas = new Map<string, string>();

function shaOf(script: string): string {
  let sha = shas.get(script);
  if (sha === undefined) {
    sha = createHash('sha1').update(script).digest('hex');
    shas.set(script, sha);
  }
  return sha;
}

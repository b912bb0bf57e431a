// Time that passes only from event to event: the queue of what is still to happen, and the clock that it moves.
//
//   next event ─▶ its process's clock ─▶ happens ─▶ every promise that settled takes effect ─▶ next event
//
// While the queue runs, the timers, clocks and `Math.random` of JavaScript are its own, so that code which was never
// written for it lives in virtual time. A timer belongs to the process whose event set it: it goes by that process's clock,
// waits while the process is paused, and ends with it.

import { EventQueue } from './event-queue.ts';

/** Of Node's event loop: at one instant timers come first, then what the network brought, then immediates. */
const phases = { timer: 0, message: 1, immediate: 2 } as const;
type Phase = keyof typeof phases;

/** How long one turn of an event loop takes. */
const turnUs = 20;
/** Node's own `queueMicrotask` makes a resource of each call, which takes longer than most events. */
const settled = Promise.resolve();
/** So many events happen before the real event loop, which hears signals, has a turn. */
const eventsPerTurn = 50_000;

/** What events belong to: an instance, or the world itself. */
export class Process {
  readonly name: string;
  /** How much faster than true time its clock runs. */
  readonly driftRatio: number;
  /** What does not fall due before that is late. */
  pausedUntilUs = 0;
  isAlive = true;
  /** No event of its settles a promise. */
  readonly isPlain: boolean;

  constructor(name: string, driftRatio = 0, isPlain = false) {
    this.name = name;
    this.driftRatio = driftRatio;
    this.isPlain = isPlain;
  }
}

/** One event that may be called off: what JavaScript calls a timer. */
class Planned {
  readonly phase: number;
  readonly process: Process;
  happen: (() => void) | undefined;

  constructor(process: Process, phase: Phase, happen: () => void) {
    this.phase = phases[phase];
    this.process = process;
    this.happen = happen;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

export class VirtualTime {
  /** Microseconds since the beginning. */
  nowUs = 0;
  /** Events that have happened. */
  events = 0;
  /** Whose event is happening. */
  current: Process;
  readonly #queue = new EventQueue<Planned>();
  readonly #random: () => number;

  /** `random`: what `Math.random` is meanwhile. */
  constructor(random: () => number) {
    this.#random = random;
    this.current = new Process('world');
  }

  /** The time on the process's own clock. */
  clockOf({ driftRatio }: Process): number {
    return this.nowUs * (1 + driftRatio);
  }

  /** Something that reaches the process `inUs` from now. */
  after(inUs: number, process: Process, happen: () => void): void {
    this.#plan(inUs, new Planned(process, 'message', happen));
  }

  /** Lets everything happen until `untilUs`. Rejects with the first error that an event throws, or that of `signal`. */
  async run(untilUs: number, signal?: AbortSignal): Promise<void> {
    while (this.#queue.dueUs <= untilUs) {
      await this.#runSome(untilUs);
      await new Promise(setImmediate);
      signal?.throwIfAborted();
    }
    this.nowUs = untilUs;
  }

  /** Promises take effect between two events: a microtask that begins a tick is the last of all that there are. */
  async #runSome(untilUs: number): Promise<void> {
    const restore = this.#install();
    try {
      await new Promise<void>((resolve, reject) => {
        let left = eventsPerTurn;
        const again = () => process.nextTick(next);
        const next = () => {
          try {
            do {
              if (left-- === 0 || this.#queue.dueUs > untilUs) {
                resolve();
                return;
              }
            } while (!this.#happen());
            settled.then(again);
          } catch (error) {
            reject(error);
          }
        };
        next();
      });
    } finally {
      restore();
    }
  }

  /** The next event; whether promises may have settled. */
  #happen(): boolean {
    const atUs = this.#queue.dueUs;
    const planned = this.#queue.take() as Planned;
    const { process, happen } = planned;
    this.nowUs = atUs;
    if (!happen || !process.isAlive) return false;
    if (process.pausedUntilUs > atUs) {
      this.#queue.put(process.pausedUntilUs, planned.phase, planned);
      return false;
    }
    planned.happen = undefined;
    this.events++;
    this.current = process;
    happen();
    return !process.isPlain;
  }

  #plan(inUs: number, planned: Planned): Planned {
    this.#queue.put(this.nowUs + Math.max(0, inUs), planned.phase, planned);
    return planned;
  }

  /** Puts the timers, clocks and chance of this world in place of JavaScript's; returns what puts those back. */
  #install(): () => void {
    const timer = (happen: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      this.#plan(
        (Math.max(1, ms) * 1000) / (1 + this.current.driftRatio),
        new Planned(this.current, 'timer', args.length === 0 ? happen : () => happen(...args)),
      );
    const interval = (happen: () => void, ms = 0) => {
      const inUs = (Math.max(1, ms) * 1000) / (1 + this.current.driftRatio);
      const repeated: Planned = new Planned(this.current, 'timer', () => repeat());
      const repeat = () => {
        repeated.happen = repeat;
        this.#plan(inUs, repeated);
        happen();
      };
      return this.#plan(inUs, repeated);
    };
    const immediate = (happen: () => void) => this.#plan(turnUs, new Planned(this.current, 'immediate', happen));
    const callOff = (planned: Planned | undefined) => {
      if (planned) planned.happen = undefined;
    };
    const unixMs = 1_795_491_041_000;
    return replaced([
      [globalThis, { setTimeout: timer, setInterval: interval, setImmediate: immediate }],
      [globalThis, { clearTimeout: callOff, clearInterval: callOff, clearImmediate: callOff }],
      [performance, { now: () => this.clockOf(this.current) / 1000 }],
      [Date, { now: () => Math.floor(unixMs + this.clockOf(this.current) / 1000) }],
      [Math, { random: this.#random }],
      [Error, { stackTraceLimit: 0 }],
    ]);
  }
}

/** Gives the objects other properties; returns what gives them their own back. */
function replaced(changes: readonly (readonly [object: object, properties: object])[]): () => void {
  const before = changes.flatMap(([object, properties]) =>
    Object.keys(properties).map((name) => [object, name, Object.getOwnPropertyDescriptor(object, name)] as const),
  );
  for (const [object, properties] of changes) {
    for (const [name, value] of Object.entries(properties))
      Object.defineProperty(object, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [object, name, descriptor] of before) {
      if (descriptor) Object.defineProperty(object, name, descriptor);
      else Reflect.deleteProperty(object, name);
    }
  };
}

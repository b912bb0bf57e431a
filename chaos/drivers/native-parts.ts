// The processes of one run on loopback, and their data. Whatever is started is noted in the undo log first and ended here,
// by its id, in the opposite order.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BusyProcess, Restartable } from '../environment.ts';
import { LabError } from '../errors.ts';
import { NetworkNamespace, removeNamespace } from '../host/namespace.ts';
import { LabProcess } from '../host/processes.ts';
import { onProcessor } from '../host/processors.ts';
import { putOnPath } from '../host/real-time.ts';
import { UndoLog } from '../host/undo-log.ts';

export const loopback = '127.0.0.1';
/** A program may have to be compiled first, and a busy machine takes its time. */
const readyMsMax = 30_000;
/** Of a shell, which asks at every turn whether the lab is still there. */
const busyLoop = 'while kill -0 $PPID 2>/dev/null; do :; done';

export interface Part {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it is started; here when undefined. */
  readonly directory?: string | undefined;
  /** Whether its end is part of the experiment. */
  readonly mayEnd?: () => boolean;
  /** It takes a while to end. Those that do are ended before the others, side by side. */
  readonly lingers?: boolean;
  /** Requests pass through it, or end in it: it runs before what only looks on. */
  readonly onPath?: boolean;
}

export class NativeParts implements AsyncDisposable {
  /** Temporary, and removed in the end. */
  readonly data: string;
  /** Rejects when a part ends that nobody broke. */
  readonly broken: Promise<never>;
  readonly #reject: (error: Error) => void;
  readonly #logs: string;
  readonly #undo: UndoLog;
  readonly #started = new AsyncDisposableStack();
  readonly #lingering: LabProcess[] = [];
  #ending = false;

  private constructor(data: string, logs: string, undo: UndoLog) {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {}); // whoever runs an experiment listens; a start that fails has its own error
    this.data = data;
    this.broken = promise;
    this.#reject = reject;
    this.#logs = logs;
    this.#undo = undo;
    this.#started.defer(() => undo.done());
    this.#started.defer(() => rm(data, { recursive: true, force: true }));
  }

  /** `logs`: the directory that takes the parts' output. */
  static create(logs: string): NativeParts {
    const undo = new UndoLog();
    return new NativeParts(undo.temporaryDirectory(), logs, undo);
  }

  /** Starts a process that is missed when it ends by itself; resolves when `ask` gives an answer. */
  async start<T>(part: Part, ask: () => Promise<T | undefined>): Promise<LabProcess> {
    const process = await this.#spawn(part);
    await process.ready(readyMsMax, ask);
    if (part.onPath) await putOnPath(process.pid);
    return process;
  }

  /** Likewise, and its end is no surprise once it was killed. One that is late to be ready again runs all the same. */
  async startRestartable<T>(part: Part, ask: () => Promise<T | undefined>): Promise<Restartable> {
    let killed = false;
    let restarting: Promise<void> | undefined;
    const mayEnd = () => killed || part.mayEnd?.() === true;
    let current = await this.start({ ...part, mayEnd }, ask);
    const restart = async (args: readonly string[] = []) => {
      try {
        current = await this.#spawn({ ...part, args: [...part.args, ...args], mayEnd });
        await current.ready(readyMsMax, ask);
        if (part.onPath) await putOnPath(current.pid);
        killed = false;
      } finally {
        restarting = undefined;
      }
    };
    return {
      get pid() {
        return current.pid;
      },
      async kill() {
        killed = true;
        current.kill('SIGKILL');
        await current.gone();
      },
      async start(args) {
        if (current.end !== undefined) restarting ??= restart(args);
        await restarting;
      },
      suspend: () => current.kill('SIGSTOP'),
      resume: () => current.kill('SIGCONT'),
    };
  }

  /** Starts a process that keeps that processor busy. Its end is never missed: whoever looks for it sees that it is gone. */
  async startBusy(processor: number): Promise<BusyProcess> {
    const [command, ...args] = onProcessor(processor, ['sh', '-c', busyLoop]);
    const started = await this.start({ name: 'busy', command, args, mayEnd: () => true }, async () => true);
    return { pid: started.pid, end: () => started.stop() };
  }

  /** Makes the run's network namespace, of which there is one. */
  async namespace(): Promise<NetworkNamespace> {
    const name = this.#undo.namespace();
    this.#started.defer(() => removeNamespace(name));
    return NetworkNamespace.create(name);
  }

  /** Ended before what was there before it. */
  defer(end: () => void): void {
    this.#started.defer(end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#lingering.map((process) => process.stop()));
    await this.#started.disposeAsync();
  }

  async #spawn({ name, command, args, env = {}, directory, mayEnd, lingers = false }: Part): Promise<LabProcess> {
    const log = join(this.#logs, `${name}.log`);
    const process = await LabProcess.start({ name, command, args, env, directory, log, undo: this.#undo });
    this.#started.defer(() => {
      this.#ending = true;
      return process.stop();
    });
    if (lingers) this.#lingering.push(process);
    process.exited.then((end) => {
      if (this.#ending || mayEnd?.()) return;
      this.#reject(new LabError(`${name} ${end} in mid-run: ${process.tail()}`));
    });
    return process;
  }
}

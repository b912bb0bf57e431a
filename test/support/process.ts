// A child process of a test: what it said, when it ended, and that it is ended, by its own pid.

import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when it has ended and all its output is here. */
  readonly ended: Promise<Ended>;
  readonly hasEnded: () => boolean;
  /** SIGTERM, and SIGKILL if that is not enough. Safe to repeat. */
  stop(): Promise<Ended>;
  /** SIGKILL. */
  kill(): Promise<Ended>;
}

/** Half the work of a short command is to compile what it imports: each after the first finds that done. */
const compileCache = { NODE_COMPILE_CACHE: join(tmpdir(), 'failopen-test-compile-cache') };

/** Longer than the service's own grace. */
const stopMsMax = 15_000;

export function startChild(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; detached?: boolean },
): Child {
  const env = { ...(options.env ?? process.env), ...compileCache };
  const child = spawn(command, args, { ...options, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  let over = false;
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      over = true;
      resolve({ code, signal });
    });
  });
  ended.catch(() => {}); // seen by whoever awaits it
  const stop = async () => {
    if (!over) child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
    return ended.finally(() => clearTimeout(force));
  };
  return {
    process: child,
    pid: child.pid ?? -1,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    hasEnded: () => over,
    stop,
    async kill() {
      if (!over) child.kill('SIGKILL');
      return ended;
    },
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

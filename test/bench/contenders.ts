// Who is measured: how each is started, and where it answers.

import { join } from 'node:path';
import { until } from '../../chaos/clock.ts';
import { LabError, UsageError } from '../../chaos/errors.ts';
import { freePort } from '../../chaos/free-port.ts';
import { LabProcess } from '../../chaos/host/processes.ts';
import type { UndoLog } from '../../chaos/host/undo-log.ts';

export interface Contender {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Its policy, in place of that of all. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it answers; undefined: on the port that it is told in PORT. */
  readonly url?: string;
}

export interface Running extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
}

/** Lower-case name of the header whose value is the key. */
export const keyHeader = 'x-key';

const program = (...path: string[]) => ({ command: process.execPath, args: [join(import.meta.dirname, ...path)] });

export const failopen: Contender = { name: 'failopen', ...program('..', '..', 'service', 'main.ts') };
/** The least that could answer. */
export const bareHttp: Contender = { name: 'bare node:http', ...program('contenders', 'bare-http.ts') };

/** The same route with no limiter before it. */
export const bareExpress: Contender = { name: 'bare Express', ...program('contenders', 'bare-express.ts') };
export const expressRateLimit: Contender = {
  name: 'express-rate-limit + rate-limit-redis',
  ...program('contenders', 'express-rate-limit.ts'),
};
export const rateLimiterFlexible: Contender = {
  name: 'rate-limiter-flexible',
  ...program('contenders', 'rate-limiter-flexible.ts'),
};
const ownPackage = program('contenders', 'failopen-express.ts');
/** The package, whose source its name leads to by the condition. */
export const failopenExpress: Contender = {
  name: 'failopen/express',
  command: ownPackage.command,
  args: ['--conditions=failopen-source', ...ownPackage.args],
};

export const contenders: readonly Contender[] = [bareExpress, failopen, expressRateLimit, rateLimiterFlexible];

/** `NAME=COMMAND@URL`: a contender of the caller's; the shell runs its command. */
export function peerOf(text: string): Contender {
  const match = /^([^=]+)=(.+)@(https?:\/\/\S+)$/.exec(text);
  if (!match) throw new UsageError(`--peer is "${text}"; allowed: NAME=COMMAND@URL`);
  const [, name, command, url] = match as unknown as [string, string, string, string];
  return { name, command: '/bin/sh', args: ['-c', `exec ${command}`], url };
}

/** However busy the machine is. */
const readyMsMax = 30_000;

/** Resolves when it answers 200. */
export async function start(
  { name, command, args, url }: Contender,
  env: Readonly<Record<string, string>>,
  log: string,
  undo: UndoLog,
): Promise<Running> {
  const port = await freePort();
  const process = await LabProcess.start({
    name,
    command,
    args,
    env: { ...env, PORT: String(port) },
    log,
    undo,
  });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => process.stop());
  const at = url ?? `http://127.0.0.1:${port}/`;
  const answered = await until(readyMsMax, 20, async () => {
    if (process.end) throw new LabError(`${name} ${process.end}: ${process.tail()}`);
    return fetch(at, { headers: { [keyHeader]: 'ready' } }).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    );
  });
  if (!answered)
    throw new LabError(`${name} did not answer 200 at ${at} within ${readyMsMax / 1000} s: ${process.tail()}`);
  const started = stack.move();
  return { name, url: at, pid: process.pid, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

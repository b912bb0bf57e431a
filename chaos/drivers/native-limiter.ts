// An instance of the limiter under test as a process of this machine.

import type { Restartable } from '../environment.ts';
import { LabError, UsageError } from '../errors.ts';
import { NotReady } from '../host/processes.ts';
import { ReadyLook } from '../targets/first-look.ts';
import { isOwn } from '../targets/index.ts';
import type { Target } from '../targets/target.ts';
import type { NativeParts, Part } from './native-parts.ts';
import { filledFor, variablesOf } from './variables.ts';

/** How a limiter of the lab's own ends of a setting with a mistake: `EX_CONFIG` of sysexits.h. */
const settingsMistaken = 'status 78';
/** Of what a command said that cannot be judged. */
const linesShown = 12;

/**
 * Starts it and waits until it is ready at `url`. `told`: the variables that every limiter gets. That a command of the
 * caller's ends later is a fact about it, which its missing answers tell; that a command never gets ready is a `UsageError`.
 */
export async function startLimiter(
  parts: NativeParts,
  target: Target,
  name: string,
  told: Readonly<Record<string, string>>,
  url: string,
): Promise<Restartable> {
  const part = { name, ...programOf(target, told), lingers: true, onPath: true }; // lingers: it answers what is under way
  const look = new ReadyLook(target, url);
  const ready = async () => ((await look.isReady()) ? true : undefined);
  let runs = false;
  const mayEnd = () => runs && !isOwn(target);
  const start = async () => {
    const started = await parts.startRestartable({ ...part, mayEnd }, ready);
    runs = true;
    return started;
  };
  if ('node' in target.start) return start().catch(asUsageError);
  try {
    return await start();
  } catch (error) {
    const why =
      error instanceof NotReady
        ? `${error.what}, and ${look.why}. Its last output:\n${error.said(linesShown)}`
        : (error as Error).message;
    const command = [part.command, ...part.args].join(' ');
    throw new UsageError(`The command "${command}" cannot be judged: ${why}`);
  }
}

/** Of the lab's own limiters; their settings are the caller's. */
function asUsageError(error: unknown): never {
  const isMistake = error instanceof NotReady && error.what.endsWith(` ${settingsMistaken}`);
  throw isMistake ? new UsageError(error.message) : error;
}

function programOf(target: Target, told: Readonly<Record<string, string>>): Omit<Part, 'name'> {
  const { start } = target;
  const env = variablesOf(target, told);
  if ('node' in start) {
    const { NODE_COMPILE_CACHE: compiled } = process.env;
    // As deployed: Express answers errors without a stack.
    const own = { NODE_ENV: 'production', ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }) };
    return { command: process.execPath, args: [start.node], env: { ...own, ...env } };
  }
  if (!('command' in start)) throw new LabError(`The native driver cannot start the target ${target.name}`);
  const [command = '', ...args] = start.command.map((word) => filledFor(word, told));
  const home: Record<string, string> = process.env.HOME === undefined ? {} : { HOME: process.env.HOME };
  return { command, args, directory: start.directory, env: { ...home, ...env } };
}

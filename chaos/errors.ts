// The ways in which a command of the lab ends without a verdict, and what it says then.

import { constants } from 'node:os';
import { printable } from './printable.ts';

/** The lab itself could not do its work: exit status 255. The message is one clear sentence for a person. */
export class LabError extends Error {
  override readonly name = 'LabError';
}

/** The command line, a file that it names or a setting asks for something that does not exist: exit status 254. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** No error: somebody asks how a command is used, and the message says it. Exit status 0. */
export class HelpAsked extends Error {
  override readonly name = 'HelpAsked';
}

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Somebody ended the command: exit status 128 and the signal's number. */
class Interrupted extends LabError {
  readonly status: number;

  constructor(signal: (typeof endingSignals)[number], done: string) {
    super(`${signal}: ${done}`);
    this.status = 128 + constants.signals[signal];
  }
}

/**
 * Aborts, for a reason that `endWith` knows, when somebody ends this process, and when an error that nothing caught would:
 * of that it would die with all that it has started, and with the status of a *fail*. `done`: what it will have done by then.
 */
export function interruption(done: string): AbortSignal {
  const controller = new AbortController();
  for (const signal of endingSignals) process.on(signal, () => controller.abort(new Interrupted(signal, done)));
  process.on('uncaughtException', (error) => {
    if (controller.signal.aborted) process.stderr.write(`${explained(error)}\n`);
    else controller.abort(error);
  });
  return controller.signal;
}

export const exitStatus = { pass: 0, fail: 1, unknown: 2, usage: 254, broken: 255 } as const;

const meanings: Readonly<Record<keyof typeof exitStatus, string>> = {
  pass: '*pass*: every check that applies passed',
  fail: '*fail*: at least one check failed',
  unknown:
    '*unknown*: no check failed, and at least one could not tell: the machine was too noisy, or the fault did not bite. Or no check applies',
  usage: 'the command line, a file that it names or a setting asks for something that does not exist',
  broken: 'the lab itself broke',
};

/** Every exit status with its meaning in Markdown, for the documents. */
export const exitStatuses: readonly { readonly status: number; readonly meaning: string }[] = [
  ...Object.entries(exitStatus).map(([name, status]) => ({ status, meaning: meanings[name as keyof typeof meanings] })),
  ...endingSignals.map((signal) => ({
    status: 128 + constants.signals[signal],
    meaning: `${signal} ended the run. The fault is healed, and every part that the run started has ended`,
  })),
].toSorted((one, other) => one.status - other.status);

/** One sentence for a person where the error was expected, or is the system's; of a defect, where it happened. */
export function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error instanceof LabError || error instanceof UsageError || 'code' in error;
  return expected ? error.message : `A defect of the lab: ${error.stack}`;
}

/** For a command that ends with it: says why, and sets the exit status. Help goes to standard output. */
export function endWith(error: unknown): void {
  if (error instanceof HelpAsked) {
    process.stdout.write(`${error.message}\n`);
    return;
  }
  const causes = causesOf(error);
  for (const cause of causes) process.stderr.write(`${printable(explained(cause))}\n`);
  process.exitCode = statusOf(causes[0]);
}

/** The first error is the cause; errors while cleaning up come wrapped around it. */
function causesOf(error: unknown): unknown[] {
  return error instanceof SuppressedError ? [...causesOf(error.suppressed), ...causesOf(error.error)] : [error];
}

function statusOf(cause: unknown): number {
  if (cause instanceof UsageError) return exitStatus.usage;
  return cause instanceof Interrupted ? cause.status : exitStatus.broken;
}

// The two ways in which a command of the lab ends without a verdict, and what it says then.

/** The lab itself could not do its work: exit status 255. The message is one clear sentence for a person. */
export class LabError extends Error {
  override readonly name = 'LabError';
}

/** The command line asks for something that does not exist: exit status 254. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const exitStatus = { pass: 0, fail: 1, unknown: 2, usage: 254, broken: 255 } as const;

/** One sentence for a person where the error was expected, or is the system's; of a defect, where it happened. */
export function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error instanceof LabError || error instanceof UsageError || 'code' in error;
  return expected ? error.message : `A defect of the lab: ${error.stack}`;
}

/** For a command that ends with it: says why, and sets the exit status. */
export function endWith(error: unknown): void {
  process.stderr.write(`${explained(error)}\n`);
  process.exitCode = error instanceof UsageError ? exitStatus.usage : exitStatus.broken;
}

// The two ways in which a command of the lab ends without a verdict.

/** The lab itself could not do its work: exit status 255. The message is one clear sentence for a person. */
export class LabError extends Error {
  override readonly name = 'LabError';
}

/** The command line asks for something that does not exist: exit status 254. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const exitStatus = { pass: 0, fail: 1, unknown: 2, usage: 254, broken: 255 } as const;

// A run that is over, as everything that tells of it takes it.

import type { CheckResult } from '../checks/check.ts';
import type { History } from '../history.ts';

export interface Run {
  readonly history: History;
  readonly checks: readonly CheckResult[];
  /** ISO 8601. */
  readonly endedAt: string;
  /** What is missing from the history, a sentence each; none after a run that came to its end. */
  readonly gaps: readonly string[];
  /** The history tells what was run; without that its limits are not known. */
  readonly described: boolean;
}

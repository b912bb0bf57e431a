// A setting: name, default, unit, meaning, what is allowed, and the schema that makes a value of its text.

import type { z } from 'zod';

export interface Row {
  readonly name: string;
  readonly default: string;
  readonly unit: string;
  readonly meaning: string;
  readonly allowed: string;
  readonly secret?: true;
  /** Makes a value of its text. What its errors say is not shown: `allowed` is. */
  readonly shape: z.ZodType<unknown, string>;
}

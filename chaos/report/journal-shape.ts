// What a journal.json must hold for somebody to tell of the run: the part that verdict and sentence are made from.

import { z } from 'zod';
import { numberFrom, oneOf, text } from '../shape.ts';
import type { Journal } from './journal.ts';

export interface JudgedRun extends Pick<Journal, 'scenario' | 'seed' | 'status' | 'verdict' | 'checks'> {
  readonly phases: Readonly<Record<string, { readonly requests: number; readonly answered: number }>>;
}

const verdict = oneOf('pass', 'fail', 'unknown');
const finding = oneOf('pass', 'fail', 'unknown', 'not applicable');
const figure = z.number().nullable();

const judgedRun: z.ZodType<JudgedRun> = z.object({
  scenario: text(),
  seed: numberFrom(0),
  status: oneOf('completed', 'failed', 'interrupted'),
  verdict,
  checks: z.array(
    z.object({
      name: text(),
      phase: text(),
      verdict: finding,
      measured: figure,
      limit: figure,
      unit: text(),
      detail: z.string(),
    }),
  ),
  phases: z.record(z.string(), z.object({ requests: numberFrom(0), answered: numberFrom(0) })),
});

/** Undefined when the text is no such journal. */
export function judgedRunOf(journal: string): JudgedRun | undefined {
  try {
    return judgedRun.parse(JSON.parse(journal));
  } catch {
    return undefined;
  }
}

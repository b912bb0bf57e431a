// Why a request is not answered as it asks to be: a status, and which of its fields are wrong. RFC 9457, in JSON.

import { z } from 'zod';

export interface FieldMistake {
  /** Where it is, as in `checks[3].cost`. */
  readonly field: string;
  /** Names the field, what it is, and what is allowed. */
  readonly detail: string;
}

export interface RefusalOptions {
  /** All that are wrong, as far as they are told. */
  readonly errors?: readonly FieldMistake[];
  readonly headers?: Readonly<Record<string, string>>;
}

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly title: string;
  readonly errors: readonly FieldMistake[];
  readonly headers: Readonly<Record<string, string>>;

  /** `detail`: one sentence or more, for people. */
  constructor(status: number, title: string, detail: string, { errors = [], headers = {} }: RefusalOptions = {}) {
    super(detail);
    this.status = status;
    this.title = title;
    this.errors = errors;
    this.headers = headers;
  }

  /** The body of the answer. */
  get problem(): z.infer<typeof problemShape> {
    const { status, title, message: detail, errors } = this;
    return { type: 'about:blank', title, status, detail, ...(errors.length > 0 ? { errors: [...errors] } : {}) };
  }
}

export const problemShape = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().describe('What is wrong, for people.'),
    errors: z
      .array(z.object({ field: z.string(), detail: z.string() }))
      .optional()
      .describe('The fields that are wrong, ten of them at most.'),
  })
  .describe('Problem details (RFC 9457).');

/** 400 for mistakes in fields: at least one. */
export function badRequest(errors: readonly FieldMistake[], status = 400): Refusal {
  const [first] = errors as [FieldMistake];
  const title = status === 413 ? 'Content too large' : 'Bad request';
  return new Refusal(status, title, `${first.detail}.`, { errors: errors.slice(0, errorsMax) });
}

/** So many tell enough. */
export const errorsMax = 10;

/** Of what cannot be done at present, and can soon. */
export function unavailable(detail: string): Refusal {
  return new Refusal(503, 'Service unavailable', detail, { headers: { 'Retry-After': '1' } });
}

// `POST /v1/check/batch`: many decisions, each by itself; one that is not allowed keeps no other from being so.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { Limiter } from '../../core/limiter.ts';
import type { Decision, Take } from '../../core/store.ts';
import type { ApiParts } from './api-parts.ts';
import { type Check, type Claim, checkShape, claimOfCheck, isCheck, type Misfit } from './check-shape.ts';
import { answerOf, decisionShape } from './decision-shape.ts';
import { readBy, tryReadBy } from './field-mistakes.ts';
import { knownIn } from './known-policies.ts';
import { badRequest, errorsMax, type FieldMistake } from './refusal.ts';
import { type AnyRoute, defineRoute } from './route.ts';
import { fields } from './shapes.ts';

const checksMax = 1000;

/** Takes of one batch in a turn of the event loop, so that it holds up nobody else for long. */
const takesOfTurn = 100;

const error = `a list of up to ${checksMax} checks`;
const batch = fields({ checks: z.array(checkShape, { error }).max(checksMax, { error }) });

/** Of checks of which nothing is known yet. */
const unread = fields({ checks: z.array(z.unknown(), { error }).max(checksMax, { error }) });

/** Reads no further than is told of what is wrong. */
function readBatch(body: unknown): { readonly checks: readonly Check[] } {
  const { checks } = readBy(unread, body, 'body');
  if (checks.every(isCheck)) return { checks };
  const mistakes: FieldMistake[] = [];
  for (const [i, check] of checks.entries()) {
    if (isCheck(check)) continue;
    const read = tryReadBy(checkShape, check, `checks[${i}]`, `checks[${i}].`);
    if ('mistakes' in read) mistakes.push(...read.mistakes);
    if (mistakes.length >= errorsMax) break;
  }
  throw badRequest(mistakes);
}

export function checkBatchRoute({ limiter, policies }: ApiParts): AnyRoute {
  return defineRoute<{ readonly checks: readonly Check[] }>({
    method: 'POST',
    path: '/v1/check/batch',
    summary: 'Decides up to 1000 checks, each by itself. If any of them is invalid, none is decided.',
    access: 'api',
    request: { body: batch, readBody: readBatch, bodyBytesMax: 1_048_576 },
    answers: {
      200: { description: 'In the order of the checks.', schema: z.object({ decisions: z.array(decisionShape) }) },
    },
    async handle({ body: { checks } }) {
      const known = knownIn(policies());
      const claims: Claim[] = [];
      const misfits: Misfit[] = [];
      for (const [i, check] of checks.entries()) {
        const claim = claimOfCheck(check, known, `checks[${i}].`);
        if ('take' in claim) claims.push(claim);
        else misfits.push(claim);
      }
      const [first] = misfits;
      if (first)
        throw badRequest(
          misfits.map(({ mistake }) => mistake),
          first.status,
        );
      const takes = [...claims.map(({ take }) => take), ...claims.flatMap(({ shadows }) => shadows)];
      const decisions = await decideInTurns(limiter, takes);
      return {
        status: 200,
        body: { decisions: claims.map(({ policy }, i) => answerOf(decisions[i] as Decision, policy)) },
      };
    },
  });
}

/** In their order; none waits for the answer to another. */
async function decideInTurns(limiter: Pick<Limiter, 'ask'>, takes: readonly Take[]): Promise<Decision[]> {
  const parts: Promise<Decision[]>[] = [];
  for (let from = 0; from < takes.length; from += takesOfTurn) {
    if (from > 0) await nextTurn();
    const part = decideAll(limiter, takes.slice(from, from + takesOfTurn));
    part.catch(() => {}); // a defect is told below
    parts.push(part);
  }
  return (await Promise.all(parts)).flat();
}

/** One promise for all, of which there is at least one: one for each would be a good part of what a take costs. */
function decideAll(limiter: Pick<Limiter, 'ask'>, takes: readonly Take[]): Promise<Decision[]> {
  return new Promise((resolve, failed) => {
    const decisions: Decision[] = new Array(takes.length);
    let missing = takes.length;
    const put = (i: number, decision: Decision) => {
      decisions[i] = decision;
      if (--missing === 0) resolve(decisions);
    };
    for (const [i, take] of takes.entries()) {
      const decision = limiter.ask(take, { decided: (later) => put(i, later), failed });
      if (decision) put(i, decision);
    }
  });
}

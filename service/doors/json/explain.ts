// `POST /v1/explain`: what a request would be answered, by which policies and which limit. Nothing is taken.

import { METHODS } from 'node:http';
import { isIP } from 'node:net';
import { z } from 'zod';
import type { Charge, Decision, Take } from '../../core/store.ts';
import { clientAddress } from '../client-address.ts';
import { claimOf, type Policy, type PolicyMistake } from '../policy.ts';
import { isThereTwice, type RequestFacts } from '../request-facts.ts';
import { bytesOfText } from '../utf8-bytes.ts';
import type { ApiParts } from './api-parts.ts';
import { decisionShape } from './decision-shape.ts';
import { type AnyRoute, defineRoute } from './route.ts';
import { fields } from './shapes.ts';

const methodError = 'a method of HTTP in capitals, as GET';
const urlError = 'a path and query, as /search?q=a';
const headersError = 'an object of header names and their values, as strings';
const addressError = 'an IP address';

const requestShape = fields({
  method: z.enum(METHODS, { error: methodError }),
  path: z
    .string({ error: urlError })
    .regex(/^\//, { error: urlError })
    .describe('Path and query, as the client writes them.'),
  headers: z.record(z.string(), z.string({ error: headersError }), { error: headersError }).optional(),
  address: z
    .string({ error: addressError })
    .refine((text) => isIP(text) > 0, { error: addressError })
    .optional()
    .describe("The client's."),
});

const { limit, remaining, retryAfterMs, resetMs, mechanism } = decisionShape.shape;
const limitShape = z.object({
  name: z.string().describe('As in the header RateLimit-Policy.'),
  allowed: z.boolean().optional().describe('Absent where it has no say: nobody can count it now.'),
  limit: limit.optional(),
  remaining,
  retryAfterMs,
  resetMs,
});
const matchShape = z.object({
  policy: z.string(),
  shadow: z.boolean().describe('Whether it is only tried out: a shadow policy, or the candidate of a policy.'),
  key: z.string().optional().describe('As in the names of its buckets. Absent where the request has none.'),
  cost: z.int().min(1).optional(),
  limits: z.array(limitShape).optional(),
  mistake: z.string().optional().describe('Why the policy cannot count the request.'),
});
const explanationShape = z.object({
  status: z.literal([200, 400, 429, 503]).describe('What the request would be answered; 200 where it is let through.'),
  binds: z
    .string()
    .optional()
    .describe('The limit that binds: the one that refuses for longest, or else the emptiest.'),
  mechanism: mechanism.optional().describe('Who would decide. Absent where nobody need be asked.'),
  matches: z.array(matchShape).describe('The policies that are for the request.'),
});

type Match = z.infer<typeof matchShape>;

export function explainRoute({ policies, buckets, ipv6Prefix }: ApiParts): AnyRoute {
  return defineRoute<z.infer<typeof requestShape>>({
    method: 'POST',
    path: '/v1/explain',
    summary: 'Tells what a request would be answered and why. Takes nothing.',
    access: 'api',
    request: { body: requestShape },
    answers: { 200: { description: 'The explanation.', schema: explanationShape } },
    async handle({ body }) {
      const all = policies();
      const { take, shadows, mistakes } = claimOf(all, factsOf(body, ipv6Prefix));
      const takes = take ? [take, ...shadows] : shadows;
      const decisions = await Promise.all(takes.map((it) => buckets.foresee(it)));
      const decision = take && decisions[0];
      const isMistaken = mistakes.some(({ policy }) => !policy.isShadow);
      const counted = takes.flatMap((it, i) => matchesOf(all, it, decisions[i] as Decision));
      const explanation: z.infer<typeof explanationShape> = {
        status: isMistaken ? 400 : statusOf(decision),
        ...(decision && !isMistaken
          ? { binds: decision.quota.name, mechanism: decision.mechanism as z.infer<typeof mechanism> }
          : {}),
        matches: inOrder(all, [...counted, ...mistakes.map(mistakenOf)]),
      };
      return { status: 200, body: explanation };
    },
  });
}

function factsOf(
  { method, path, headers = {}, address }: z.infer<typeof requestShape>,
  ipv6Prefix: number,
): RequestFacts {
  const asRead = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    bytesOfText(value.replace(/^[ \t]+|(?<![ \t])[ \t]+$/g, '')), // as HTTP has it
  ]);
  const client = address === undefined ? undefined : clientAddress(address, ipv6Prefix);
  return {
    method,
    url: bytesOfText(path),
    headers: Object.fromEntries(asRead),
    addressOf: () => client,
    hasSeveral: (name) => isThereTwice(name, asRead.flat()),
  };
}

function statusOf(decision: Decision | undefined): 200 | 429 | 503 {
  if (!decision || decision.allowed) return 200;
  return decision.mechanism === 'closed' ? 503 : 429;
}

/** The policies whose buckets the take is of, each with what its own limits say. */
function matchesOf(policies: readonly Policy[], { charges, shadowOf }: Take, decision: Decision): Match[] {
  return policies.flatMap(({ name, limits, candidate }) => {
    const own = charges.filter(({ limit }) => limits.includes(limit) || candidate.includes(limit));
    const [first] = own;
    if (!first) return [];
    const key = first.bucket.slice(first.limit.prefix.length);
    return [
      {
        policy: name,
        shadow: shadowOf !== undefined,
        key,
        cost: first.cost,
        limits: own.map((it) => limitOf(it, decision)),
      },
    ];
  });
}

function limitOf({ limit: { shared } }: Charge, decision: Decision): z.infer<typeof limitShape> {
  const { name } = shared.quota;
  const own = (decision.each ?? [decision]).find(({ quota }) => quota.name === name);
  if (own?.remaining === undefined) return { name };
  const { allowed, limit: capacity, remaining: left, retryAfterMs: waitMs, resetMs: fullMs } = own;
  return {
    name,
    allowed,
    limit: capacity,
    remaining: left,
    retryAfterMs: Number.isFinite(waitMs) ? Math.ceil(waitMs) : undefined,
    resetMs: Math.ceil(fullMs),
  };
}

function mistakenOf({ policy: { name, isShadow }, detail }: PolicyMistake): Match {
  return { policy: name, shadow: isShadow, mistake: detail };
}

/** As in the policies' file. */
function inOrder(policies: readonly Policy[], matches: readonly Match[]): Match[] {
  const places = new Map(policies.map(({ name }, place) => [name, place]));
  return matches.toSorted((one, other) => (places.get(one.policy) ?? 0) - (places.get(other.policy) ?? 0));
}

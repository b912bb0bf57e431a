// What became of a request, as the target defines it. The contract has two answers: the request may pass, or it may not.
// Any other is a failure, and so is none.

export const outcomes = ['allowed', 'denied', 'failed'] as const;
export type Outcome = (typeof outcomes)[number];

interface Told {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Where the status does not say it. */
  readonly outcome?: Outcome;
}

export function isAllowed(answer: Told): boolean {
  return outcomeOf(answer) === 'allowed';
}

export function isDenied(answer: Told): boolean {
  return outcomeOf(answer) === 'denied';
}

function outcomeOf({ outcome, status }: Told): Outcome {
  return outcome ?? outcomeOfStatus(status);
}

/** What a status means where the target does not say otherwise. */
export function outcomeOfStatus(status: number): Outcome {
  if (status >= 200 && status < 300) return 'allowed';
  return status === 429 ? 'denied' : 'failed';
}

/** Client-side latency in ms from the scheduled time; infinite when there was no answer. */
export function latencyMs(answer: {
  readonly status: number;
  readonly receivedMs: number;
  readonly scheduledMs: number;
}) {
  return answer.status === 0 ? Number.POSITIVE_INFINITY : answer.receivedMs - answer.scheduledMs;
}

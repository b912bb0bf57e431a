// Every check, in the order in which a verdict is read.

import { admission } from './admission.ts';
import { availability } from './availability.ts';
import { backToNormal } from './back-to-normal.ts';
import { breaker } from './breaker.ts';
import type { Check } from './check.ts';
import { failsOpen } from './fails-open.ts';
import { faultBit } from './fault-bit.ts';
import { fleet } from './fleet.ts';
import { ghostTakes } from './ghost-takes.ts';
import { isolation } from './isolation.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { needlessRefusal } from './needless-refusal.ts';
import { recovery } from './recovery.ts';
import { remaining } from './remaining.ts';
import { retryAfter } from './retry-after.ts';
import { trip } from './trip.ts';

export const checks: readonly Check[] = [
  faultBit,
  availability,
  latency,
  trip,
  breaker,
  failsOpen,
  isolation,
  recovery,
  backToNormal,
  memory,
  admission,
  fleet,
  needlessRefusal,
  remaining,
  ghostTakes,
  retryAfter,
];

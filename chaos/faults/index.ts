// From a fault as data to one that can be injected.

import type { FaultSpec } from '../scenario.ts';
import type { Fault } from './fault.ts';
import { latency, partition, stall } from './network.ts';
import { masterKill, redisKill } from './redis.ts';

export function faultOf(spec: FaultSpec): Fault {
  switch (spec.kind) {
    case 'partition':
      return partition();
    case 'stall':
      return stall();
    case 'latency':
      return latency(spec.latencyMs, spec.jitterMs);
    case 'redis-kill':
      return redisKill();
    case 'master-kill':
      return masterKill();
    default:
      return spec satisfies never;
  }
}

// Every scenario, in the order in which the suite runs them.

import type { Scenario } from '../chaos/scenario.ts';
import { baseline } from './baseline.ts';
import { clusterMasterKill } from './cluster-master-kill.ts';
import { flapping } from './flapping.ts';
import { latency } from './latency.ts';
import { maxClients } from './max-clients.ts';
import { oneLink } from './one-link.ts';
import { outOfMemory } from './out-of-memory.ts';
import { partition } from './partition.ts';
import { readOnly } from './read-only.ts';
import { redisKill } from './redis-kill.ts';
import { refused } from './refused.ts';
import { repliesLost } from './replies-lost.ts';
import { sentinelFailover } from './sentinel-failover.ts';
import { stall } from './stall.ts';

export const scenarios: readonly Scenario[] = [
  baseline,
  partition,
  repliesLost,
  oneLink,
  flapping,
  refused,
  stall,
  latency,
  redisKill,
  outOfMemory,
  readOnly,
  maxClients,
  clusterMasterKill,
  sentinelFailover,
];

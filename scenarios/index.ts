// Every scenario, in the order in which the suite runs them.

import type { Scenario } from '../chaos/scenario.ts';
import { baseline } from './baseline.ts';
import { clusterMasterKill } from './cluster-master-kill.ts';
import { latency } from './latency.ts';
import { partition } from './partition.ts';
import { redisKill } from './redis-kill.ts';
import { sentinelFailover } from './sentinel-failover.ts';
import { stall } from './stall.ts';

export const scenarios: readonly Scenario[] = [
  baseline,
  partition,
  stall,
  latency,
  redisKill,
  clusterMasterKill,
  sentinelFailover,
];

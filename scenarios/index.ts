// Every scenario, in the order in which the suite runs them.

import type { Scenario } from '../chaos/scenario.ts';
import { baseline } from './baseline.ts';
import { busy } from './busy.ts';
import { clientKill } from './client-kill.ts';
import { clientPause } from './client-pause.ts';
import { clusterMasterKill } from './cluster-master-kill.ts';
import { crashLoop } from './crash-loop.ts';
import { evict } from './evict.ts';
import { flapping } from './flapping.ts';
import { flushAll } from './flush-all.ts';
import { instanceKill } from './instance-kill.ts';
import { instanceStop } from './instance-stop.ts';
import { latency } from './latency.ts';
import { loading } from './loading.ts';
import { masterDown } from './master-down.ts';
import { maxClients } from './max-clients.ts';
import { misconf } from './misconf.ts';
import { noAuth } from './no-auth.ts';
import { noPermission } from './no-permission.ts';
import { noReplicas } from './no-replicas.ts';
import { nonsense } from './nonsense.ts';
import { oneLink } from './one-link.ts';
import { outOfMemory } from './out-of-memory.ts';
import { partition } from './partition.ts';
import { readOnly } from './read-only.ts';
import { redisGray } from './redis-gray.ts';
import { redisKill } from './redis-kill.ts';
import { redisKillAof } from './redis-kill-aof.ts';
import { redisStop } from './redis-stop.ts';
import { refused } from './refused.ts';
import { repliesLost } from './replies-lost.ts';
import { scriptFlush } from './script-flush.ts';
import { sentinelFailover } from './sentinel-failover.ts';
import { stall } from './stall.ts';
import { wrongType } from './wrong-type.ts';

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
  redisKillAof,
  crashLoop,
  loading,
  nonsense,
  redisStop,
  redisGray,
  outOfMemory,
  readOnly,
  maxClients,
  masterDown,
  noReplicas,
  noPermission,
  noAuth,
  misconf,
  busy,
  clientPause,
  clientKill,
  scriptFlush,
  flushAll,
  evict,
  wrongType,
  instanceKill,
  instanceStop,
  clusterMasterKill,
  sentinelFailover,
];

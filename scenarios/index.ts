// Every scenario, in the order in which the suite runs them.

import type { Scenario } from '../chaos/scenario.ts';
import { acceptClose } from './accept-close.ts';
import { bandwidth } from './bandwidth.ts';
import { baseline } from './baseline.ts';
import { blackhole } from './blackhole.ts';
import { busy } from './busy.ts';
import { clientKill } from './client-kill.ts';
import { clientPause } from './client-pause.ts';
import { clientResets } from './client-resets.ts';
import { clockBack } from './clock-back.ts';
import { clockFast } from './clock-fast.ts';
import { clockForward } from './clock-forward.ts';
import { clockSlow } from './clock-slow.ts';
import { clusterDown } from './cluster-down.ts';
import { clusterMasterKill } from './cluster-master-kill.ts';
import { cpuHog } from './cpu-hog.ts';
import { crashLoop } from './crash-loop.ts';
import { cutAnswers } from './cut-answers.ts';
import { deadConnections } from './dead-connections.ts';
import { debugSleep } from './debug-sleep.ts';
import { drip } from './drip.ts';
import { evict } from './evict.ts';
import { failBudget } from './fail-budget.ts';
import { failClosed } from './fail-closed.ts';
import { failOpen } from './fail-open.ts';
import { flapping } from './flapping.ts';
import { flashCrowd } from './flash-crowd.ts';
import { flushAll } from './flush-all.ts';
import { halfOpen } from './half-open.ts';
import { herd } from './herd.ts';
import { hotKey } from './hot-key.ts';
import { idleConnections } from './idle-connections.ts';
import { impatientClients } from './impatient-clients.ts';
import { instanceGray } from './instance-gray.ts';
import { instanceKill } from './instance-kill.ts';
import { instanceStop } from './instance-stop.ts';
import { latency } from './latency.ts';
import { latency1 } from './latency-1.ts';
import { latency4 } from './latency-4.ts';
import { latencyRamp } from './latency-ramp.ts';
import { limitData } from './limit-data.ts';
import { loading } from './loading.ts';
import { masterDown } from './master-down.ts';
import { maxClients } from './max-clients.ts';
import { misconf } from './misconf.ts';
import { newKeys } from './new-keys.ts';
import { noAuth } from './no-auth.ts';
import { noPermission } from './no-permission.ts';
import { noReplicas } from './no-replicas.ts';
import { nonsense } from './nonsense.ts';
import { oneLink } from './one-link.ts';
import { oneLinkFlapping } from './one-link-flapping.ts';
import { openFiles } from './open-files.ts';
import { outOfMemory } from './out-of-memory.ts';
import { outputBuffer } from './output-buffer.ts';
import { partition } from './partition.ts';
import { plannedFailover } from './planned-failover.ts';
import { prometheusGone } from './prometheus-gone.ts';
import { readOnly } from './read-only.ts';
import { redisGray } from './redis-gray.ts';
import { redisKill } from './redis-kill.ts';
import { redisKillAof } from './redis-kill-aof.ts';
import { redisStop } from './redis-stop.ts';
import { refused } from './refused.ts';
import { repliesLate } from './replies-late.ts';
import { repliesLost } from './replies-lost.ts';
import { requestsLost } from './requests-lost.ts';
import { resetPeer } from './reset-peer.ts';
import { scriptFlush } from './script-flush.ts';
import { sentinelFailover } from './sentinel-failover.ts';
import { slicer } from './slicer.ts';
import { slotMigration } from './slot-migration.ts';
import { slowClients } from './slow-clients.ts';
import { slowClose } from './slow-close.ts';
import { slowScrapers } from './slow-scrapers.ts';
import { staleFailover } from './stale-failover.ts';
import { stall } from './stall.ts';
import { wrongType } from './wrong-type.ts';

export const scenarios: readonly Scenario[] = [
  baseline,
  flashCrowd,
  hotKey,
  newKeys,
  impatientClients,
  herd,
  partition,
  blackhole,
  failOpen,
  failClosed,
  failBudget,
  requestsLost,
  repliesLost,
  oneLink,
  flapping,
  oneLinkFlapping,
  refused,
  resetPeer,
  acceptClose,
  limitData,
  stall,
  repliesLate,
  deadConnections,
  slowClose,
  latency1,
  latency4,
  latency,
  latencyRamp,
  bandwidth,
  slicer,
  drip,
  slowClients,
  cutAnswers,
  clientResets,
  halfOpen,
  idleConnections,
  slowScrapers,
  prometheusGone,
  redisKill,
  redisKillAof,
  crashLoop,
  loading,
  nonsense,
  redisStop,
  redisGray,
  debugSleep,
  outOfMemory,
  readOnly,
  masterDown,
  noReplicas,
  noPermission,
  maxClients,
  outputBuffer,
  noAuth,
  misconf,
  busy,
  clientPause,
  clientKill,
  scriptFlush,
  flushAll,
  evict,
  wrongType,
  clockForward,
  clockBack,
  instanceKill,
  instanceStop,
  instanceGray,
  openFiles,
  cpuHog,
  clockFast,
  clockSlow,
  clusterMasterKill,
  sentinelFailover,
  plannedFailover,
  staleFailover,
  slotMigration,
  clusterDown,
];

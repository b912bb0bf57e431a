// Every kind of fault, a line each.

import { LabError } from '../errors.ts';
import type { FaultSpec } from '../scenario.ts';
import { clientResets } from './clients/client-resets.ts';
import { cutAnswers } from './clients/cut-answers.ts';
import { halfOpen } from './clients/half-open.ts';
import { idleConnections } from './clients/idle-connections.ts';
import { slowClients } from './clients/slow-clients.ts';
import type { Fault, FaultKind } from './fault.ts';
import { acceptClose } from './network/accept-close.ts';
import { bandwidth } from './network/bandwidth.ts';
import { blackhole } from './network/blackhole.ts';
import { deadConnections } from './network/dead-connections.ts';
import { down } from './network/down.ts';
import { latency } from './network/latency.ts';
import { latencyRamp } from './network/latency-ramp.ts';
import { limitData } from './network/limit-data.ts';
import { partition } from './network/partition.ts';
import { resetPeer } from './network/reset-peer.ts';
import { slicer } from './network/slicer.ts';
import { slowClose } from './network/slow-close.ts';
import { stall } from './network/stall.ts';
import { prometheusGone } from './observers/prometheus-gone.ts';
import { slowScrapers } from './observers/slow-scrapers.ts';
import { clockDrift } from './process/clock-drift.ts';
import { cpuHog } from './process/cpu-hog.ts';
import { instanceGray } from './process/instance-gray.ts';
import { instanceKill } from './process/instance-kill.ts';
import { instanceStop } from './process/instance-stop.ts';
import { openFiles } from './process/open-files.ts';
import { busy } from './redis/busy.ts';
import { clientKill } from './redis/client-kill.ts';
import { clientPause } from './redis/client-pause.ts';
import { clockBack } from './redis/clock-back.ts';
import { clockForward } from './redis/clock-forward.ts';
import { debugSleep } from './redis/debug-sleep.ts';
import { evict } from './redis/evict.ts';
import { flushAll } from './redis/flush-all.ts';
import { loading } from './redis/loading.ts';
import { masterDown } from './redis/master-down.ts';
import { maxClients } from './redis/max-clients.ts';
import { misconf } from './redis/misconf.ts';
import { noAuth } from './redis/no-auth.ts';
import { noPermission } from './redis/no-permission.ts';
import { noReplicas } from './redis/no-replicas.ts';
import { nonsense } from './redis/nonsense.ts';
import { outOfMemory } from './redis/out-of-memory.ts';
import { outputBuffer } from './redis/output-buffer.ts';
import { readOnly } from './redis/read-only.ts';
import { redisGray } from './redis/redis-gray.ts';
import { redisKill } from './redis/redis-kill.ts';
import { redisKillAof } from './redis/redis-kill-aof.ts';
import { redisStop } from './redis/redis-stop.ts';
import { scriptFlush } from './redis/script-flush.ts';
import { wrongType } from './redis/wrong-type.ts';
import { clusterDown } from './topology/cluster-down.ts';
import { masterKill } from './topology/master-kill.ts';
import { plannedFailover } from './topology/planned-failover.ts';
import { slotMigration } from './topology/slot-migration.ts';
import { staleFailover } from './topology/stale-failover.ts';

export const faultKinds: readonly FaultKind[] = [
  partition,
  blackhole,
  stall,
  latency,
  latencyRamp,
  bandwidth,
  slicer,
  down,
  deadConnections,
  acceptClose,
  resetPeer,
  limitData,
  slowClose,
  slowClients,
  cutAnswers,
  clientResets,
  halfOpen,
  idleConnections,
  slowScrapers,
  prometheusGone,
  redisKill,
  redisKillAof,
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
  noAuth,
  misconf,
  busy,
  maxClients,
  outputBuffer,
  clientKill,
  clientPause,
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
  clockDrift,
  masterKill,
  plannedFailover,
  staleFailover,
  slotMigration,
  clusterDown,
];

/** The fault that a scenario speaks of. Throws a `LabError` that says what is wrong with it. */
export function faultOf(spec: FaultSpec): Fault {
  const found = faultKinds.find(({ kind }) => kind === spec.kind);
  const known = faultKinds.map(({ kind }) => kind).join(', ');
  if (!found) throw new LabError(`There is no fault "${spec.kind}". Faults: ${known}.`);
  return found.of(spec);
}

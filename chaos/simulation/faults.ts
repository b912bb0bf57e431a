// What can go wrong in a world: each fault is data, begins at an instant and is over after a while. Faults overlap freely.

import { sharedStoreName } from '../scenario.ts';
import { lossOf } from './loss.ts';
import type { Member } from './member.ts';
import type { Link } from './network.ts';
import type { Observer } from './observer.ts';
import type { Refusal, SimulatedRedis } from './redis.ts';

export interface Fault {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly forMs: number;
  /** Those that are hit, by their number; those there are, where Redis is hit. */
  readonly instances: readonly number[];
  /** How much of it: its kind says what. */
  readonly size: number;
}

/** What a fault can reach. */
export interface World {
  readonly redis: SimulatedRedis;
  readonly members: readonly Member[];
  readonly observers: readonly Observer[];
  readonly nowUs: () => number;
}

interface Effect {
  /** One line: what is broken. */
  readonly about: string;
  readonly hits: 'instances' | 'store';
  /** From and to which size; whole numbers. */
  readonly sizes: readonly [min: number, max: number];
  readonly begin: (world: World, fault: Fault) => void;
  readonly end?: (world: World, fault: Fault) => void;
}

const hit = ({ members }: World, { instances }: Fault) => instances.flatMap((i) => members[i] ?? []);

/** Does something to the ways of the instances that are hit, and undoes it. */
function onLinks(about: string, sizes: Effect['sizes'], change: (link: Link, size: number) => void): Effect {
  const each = (sign: 1 | -1) => (world: World, fault: Fault) => {
    for (const { link } of hit(world, fault)) change(link, sign * fault.size);
  };
  return { about, hits: 'instances', sizes, begin: each(1), end: each(-1) };
}

function onEachHit(
  about: string,
  begin: (member: Member, world: World, fault: Fault) => void,
  end?: (member: Member) => void,
): Effect {
  return {
    about,
    hits: 'instances',
    sizes: [1, 1],
    begin: (world, fault) => {
      for (const member of hit(world, fault)) begin(member, world, fault);
    },
    ...(end && {
      end: (world, fault) => {
        for (const member of hit(world, fault)) end(member);
      },
    }),
  };
}

function startWanted(member: Member): void {
  if (member.wanted > 0 && !member.process.isAlive) member.start();
}

function stopUp(member: Member): void {
  if (member.isUp) member.stop();
}

function refuses(refusal: Refusal, about: string): Effect {
  return {
    about,
    hits: 'store',
    sizes: [1, 1],
    begin: ({ redis }) => redis.refusing.push(refusal),
    end: ({ redis }) => redis.refusing.splice(redis.refusing.indexOf(refusal), 1),
  };
}

/** What Redis held is lost, all of it or perhaps some. */
function lose({ observers, nowUs }: World, fault: string, state: 'lost' | 'perhaps-lost'): void {
  const loss = lossOf(fault, { target: sharedStoreName, reach: 'shared-store', state, atMs: nowUs() / 1000 });
  for (const observer of observers) observer.lost?.(loss);
}

/** In order of time two may overlap that both end Redis; the last to be over starts it. */
function startRedis({ redis }: World): void {
  if (!redis.isUp) redis.start();
}

export const effects = {
  cut: onLinks('every packet between instances and Redis is dropped', [1, 1], ({ there, back }, size) => {
    there.cuts += size;
    back.cuts += size;
  }),
  'cut-there': onLinks('what instances send to Redis is dropped', [1, 1], ({ there }, size) => {
    there.cuts += size;
  }),
  'cut-back': onLinks('what Redis answers is dropped', [1, 1], ({ back }, size) => {
    back.cuts += size;
  }),
  slow: onLinks('packets take longer, by the size in ms each way', [1, 6], ({ there, back }, size) => {
    there.extraLatencyUs += size * 1000;
    back.extraLatencyUs += size * 1000;
  }),
  lossy: onLinks('packets are lost, the size in per cent', [1, 20], ({ there, back }, size) => {
    there.lossRatio += size / 100;
    back.lossRatio += size / 100;
  }),
  reset: onEachHit('connections are reset', ({ client }) => client?.connection?.resetByServer()),
  'half-open': onEachHit('connections are forgotten on the way, and nobody is told', ({ client }) => {
    if (client?.connection) client.connection.isForgotten = true;
  }),
  pause: onEachHit('instances stand still', ({ process }, { nowUs }, { forMs }) => {
    process.pausedUntilUs = Math.max(process.pausedUntilUs, nowUs() + forMs * 1000);
  }),
  kill: onEachHit(
    'instances are killed, and start anew',
    (member) => {
      if (member.isUp) member.kill();
    },
    startWanted,
  ),
  stop: onEachHit('instances are told to end, as in a deploy, and others take their place', stopUp, startWanted),
  'scale-out': onEachHit(
    'instances that were not there before join the fleet, and leave it again',
    (member) => {
      member.wanted++;
      startWanted(member);
    },
    (member) => {
      member.wanted--;
      if (member.wanted === 0) stopUp(member);
    },
  ),
  restart: {
    about: 'Redis ends and comes back empty',
    hits: 'store',
    sizes: [1, 1],
    begin: (world) => {
      world.redis.stop();
      world.redis.data.clear();
      lose(world, 'restart', 'lost');
    },
    end: startRedis,
  },
  failover: {
    about: 'Redis ends, and a replica takes over that lags by the size in ms',
    hits: 'store',
    sizes: [0, 1000],
    begin: (world, { size }) => {
      world.redis.stop();
      world.redis.data.fallBack(size * 1000);
      lose(world, 'failover', 'perhaps-lost');
    },
    end: startRedis,
  },
  freeze: {
    about: 'Redis stands still',
    hits: 'store',
    sizes: [1, 1],
    begin: ({ redis, nowUs }, { forMs }) => {
      redis.process.pausedUntilUs = Math.max(redis.process.pausedUntilUs, nowUs() + forMs * 1000);
    },
  },
  'slow-redis': {
    about: 'Redis takes as many times as long for each command as the size says',
    hits: 'store',
    sizes: [10, 300],
    begin: ({ redis }, { size }) => redis.slowness.push(size),
    end: ({ redis }, { size }) => redis.slowness.splice(redis.slowness.indexOf(size), 1),
  },
  oom: refuses('oom', 'Redis has no memory left'),
  readonly: refuses('readonly', 'Redis is a replica'),
  loading: refuses('loading', 'Redis reads its data set'),
  'script-flush': {
    about: 'Redis forgets its scripts',
    hits: 'store',
    sizes: [1, 1],
    begin: ({ redis }) => redis.flushScripts(),
  },
  'clock-forward': {
    about: 'the clock of Redis is set forward, by the size in ms',
    hits: 'store',
    sizes: [1, 20_000],
    begin: (world, { size }) => {
      world.redis.setClock(size * 1000);
      lose(world, 'clock-forward', 'perhaps-lost');
    },
  },
  'clock-back': {
    about: 'the clock of Redis is set back, by the size in ms',
    hits: 'store',
    sizes: [1, 20_000],
    begin: (world, { size }) => {
      world.redis.setClock(-size * 1000);
      lose(world, 'clock-back', 'perhaps-lost');
    },
  },
} as const satisfies Readonly<Record<string, Effect>>;

export type FaultKind = keyof typeof effects;

export const faultKinds = Object.keys(effects) as readonly FaultKind[];

/** The instances that are not there from the beginning, by their number. */
export function joiningLater(faults: readonly Fault[]): ReadonlySet<number> {
  return new Set(faults.flatMap(({ kind, instances }) => (kind === 'scale-out' ? instances : [])));
}

export function effectOf(kind: FaultKind): Effect {
  return effects[kind];
}

// Latencies that the lab recorded of both arms at the same time, and runs drawn from them at random.
//
// A recording is JSON: of each arm, in order of schedule, the time since the request before in tenths of a millisecond
// and the latency in hundredths. It was made on two shared cores at 700 requests per second, with nothing broken.
// Whole blocks of it are drawn, the same for both arms, so that slow answers come together as they did (Künsch 1989).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

export interface TimedLatency {
  readonly atMs: number;
  readonly latencyMs: number;
}

export interface Arms {
  /** In order of time. */
  readonly faulted: readonly TimedLatency[];
  readonly control: readonly TimedLatency[];
}

interface RecordedArm {
  readonly gaps: readonly number[];
  readonly latencies: readonly number[];
}

/** Longer than a stall of the machine. */
const blockMs = 500;

export const arms = ['faulted', 'control'] as const;

/** `factor`: that of a machine which takes so much of the time for everything. */
export function recordedArms(name: 'quiet' | 'noisy', factor = 1): Arms {
  const file = join(import.meta.dirname, 'latencies', `${name}.json.gz`);
  const { faulted, control } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Record<
    (typeof arms)[number],
    RecordedArm
  >;
  const timed = ({ gaps, latencies }: RecordedArm): TimedLatency[] => {
    let tenths = 0;
    return gaps.map((gap, i) => {
      tenths += gap;
      return { atMs: tenths / 10, latencyMs: ((latencies[i] as number) * factor) / 100 };
    });
  };
  return { faulted: timed(faulted), control: timed(control) };
}

/** So many milliseconds of new runs of both arms. */
export function drawnFrom(recorded: Arms, lastMs: number, random: RandomGenerator): Arms {
  const latestMs = (recorded.faulted.at(-1)?.atMs ?? 0) - blockMs;
  const starts = Array.from({ length: Math.ceil(lastMs / blockMs) }, () => uniformFloat64(random) * latestMs);
  const drawn = (arm: readonly TimedLatency[]) =>
    starts.flatMap((startMs, i) =>
      arm
        .filter(({ atMs }) => atMs >= startMs && atMs < startMs + blockMs)
        .map((it) => ({ ...it, atMs: it.atMs - startMs + i * blockMs })),
    );
  return { faulted: drawn(recorded.faulted), control: drawn(recorded.control) };
}

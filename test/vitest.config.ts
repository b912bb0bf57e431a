import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import '../chaos/command.ts'; // loopback is asked without a proxy by tests, too

/** They measure time or memory, or look at all that the lab has on this machine: nothing may run beside them. */
const alone = [
  'test/bench/**/*.test.ts',
  'test/chaos/faults/clock.test.ts',
  'test/chaos/report/million.test.ts',
  'test/e2e/scenario.test.ts',
  'test/service/core/memory.test.ts',
  'test/service/doors/intake.test.ts',
  'test/service/redis/causes.test.ts', // a Sentinel has half a second to answer
  'test/service/redis/cluster.test.ts',
  'test/service/reload-under-load.test.ts',
  'test/service/store-contract.test.ts',
];

/**
 * They leave nothing changed that another file could see, so those that a worker runs share what it has loaded and compiled:
 * that takes a quarter of their processor time away.
 */
const sharing = [
  'test/chaos/arena/**/*.test.ts',
  'test/chaos/checks/**/*.test.ts',
  'test/chaos/drivers/**/*.test.ts',
  'test/chaos/load/**/*.test.ts',
  'test/chaos/report/**/*.test.ts',
  'test/chaos/run/**/*.test.ts',
  'test/chaos/simulation/**/*.test.ts',
  'test/chaos/targets/**/*.test.ts',
  'test/chaos/watch/**/*.test.ts',
  'test/docs/**/*.test.ts',
  'test/grafana/**/*.test.ts',
  'test/prometheus/**/*.test.ts',
  'test/scenarios/**/*.test.ts',
  'test/service/config/**/*.test.ts',
  'test/service/core/**/*.test.ts',
  'test/service/doors/**/*.test.ts',
  'test/service/metrics/**/*.test.ts',
  'test/service/package/**/*.test.ts',
];

/** Half a minute and more each, of waiting above all: begun last, all others would be over and they would be waited for. */
const longest = [
  'test/chaos/drivers/address.test.ts',
  'test/chaos/targets/packages.test.ts',
  'test/e2e/compose.test.ts',
  'test/e2e/compose-profiles.test.ts',
  'test/e2e/observability.test.ts',
  'test/e2e/report.test.ts',
  'test/service/doors/rls/connections.test.ts',
  'test/service/redis/tampered.test.ts',
  'test/service/redis/tampered-under-load.test.ts',
  'test/service/service.test.ts',
  'test/service/workers/workers.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => longest.some((name) => moduleId.endsWith(`/${name}`));
    const { long = [], others = [] } = Object.groupBy(await super.sort(files), (file) =>
      isLong(file) ? 'long' : 'others',
    );
    return [...long, ...others];
  }
}

/** Minutes each: whole runs of the lab, and thousands of runs that are judged. `npm test` leaves them to `npm run test:long`. */
const long = ['test/e2e/runs/**/*.test.ts', 'test/chaos/judge/**/*.test.ts'];
const longAlone = [
  'test/e2e/runs/console.test.ts', // a browser loses its requests when Docker makes a network
  'test/e2e/runs/killed-runs.test.ts',
  'test/e2e/runs/limiters.test.ts',
  'test/e2e/runs/topology.test.ts',
];

// These only tell that something hangs; longer than `until` waits, which says for what.
const hung = { testTimeout: 120_000, hookTimeout: 120_000 };

// On two cores: most of them wait for something most of the time. `maxConcurrency` is of the tests of one file.
const sideBySide = { ...hung, maxWorkers: 4, maxConcurrency: 3 };
/** Three labs at once would leave none of them time enough. */
const twoAtOnce = { ...sideBySide, maxWorkers: 2 };
const oneByOne = { ...hung, fileParallelism: false };

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...sideBySide,
          name: 'side by side',
          include: ['test/**/*.test.ts'],
          exclude: [...alone, ...long, ...sharing],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...sideBySide,
          name: 'sharing',
          include: sharing,
          exclude: alone,
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...oneByOne, name: 'alone', include: alone, sequence: { groupOrder: 1 } } },
      { test: { ...twoAtOnce, name: 'long', include: long, exclude: longAlone, sequence: { groupOrder: 2 } } },
      { test: { ...oneByOne, name: 'long alone', include: longAlone, sequence: { groupOrder: 3 } } },
    ],
  },
});

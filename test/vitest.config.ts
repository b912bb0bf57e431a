import { defineConfig } from 'vitest/config';
import '../chaos/command.ts'; // loopback is asked without a proxy by tests, too

/** They measure time or memory, or look at all that the lab has on this machine: nothing may run beside them. */
const alone = [
  'test/bench/**/*.test.ts',
  'test/chaos/report/million.test.ts',
  'test/e2e/killed-runs.test.ts',
  'test/e2e/limiters.test.ts',
  'test/e2e/observability.test.ts',
  'test/e2e/scenario.test.ts',
  'test/e2e/topology.test.ts',
  'test/service/core/memory.test.ts',
  'test/service/doors/intake.test.ts',
  'test/service/redis/cluster.test.ts',
  'test/service/store-contract.test.ts',
];

// These only tell that something hangs; longer than `until` waits, which says for what.
const hung = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...hung,
          name: 'side by side',
          include: ['test/**/*.test.ts'],
          exclude: alone,
          sequence: { groupOrder: 0 },
          maxWorkers: 3, // on two cores: most of them wait for something most of the time
          maxConcurrency: 3, // of the tests that run beside each other in one file
        },
      },
      {
        test: {
          ...hung,
          name: 'alone',
          include: alone,
          sequence: { groupOrder: 1 },
          fileParallelism: false,
        },
      },
    ],
  },
});

import { defineConfig } from 'vitest/config';
import '../chaos/command.ts'; // the tests, as the lab, ask loopback without a proxy

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // These only tell that something hangs; longer than `until` waits, which says for what.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // One file after another: tests measure time on real processes and must not disturb each other.
    fileParallelism: false,
  },
});

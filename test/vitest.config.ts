import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // One file after another: tests measure time on real processes and must not disturb each other.
    fileParallelism: false,
  },
});

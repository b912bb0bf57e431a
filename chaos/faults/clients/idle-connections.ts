// Connections stand at an instance on which nobody asks for anything.

import { defineKept } from './kept-connections.ts';

export const idleConnections = defineKept({
  kind: 'idle-connections',
  family: 'clients',
  examples: [{ count: 500 }],
  describe: ({ count }) => `There were ${count} more connections to one instance, on which nobody asked for anything`,
});

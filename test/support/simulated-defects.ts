// Limiters with one defect each, for the simulation.

import type { SimulatedDefect } from './simulated-defect.ts';
import { bucketDefects } from './simulated-defects-buckets.ts';
import { callDefects } from './simulated-defects-calls.ts';

export const simulatedDefects: readonly SimulatedDefect[] = [...callDefects, ...bucketDefects];

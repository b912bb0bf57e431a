// The pictures of what an outage costs are what the simulation says now.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type CostPicture, costPictures } from './cost-pictures.ts';
import { projectDirectory } from './documents.ts';

it.each(Object.keys(costPictures) as CostPicture[])('%s is not stale: npm run cost-pictures', async (path) => {
  expect(readFileSync(join(projectDirectory, path), 'utf8')).toBe(await costPictures[path]());
});

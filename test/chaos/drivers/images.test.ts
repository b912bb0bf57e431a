import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { imageDefaults } from '../../../chaos/drivers/images.ts';
import { projectDirectory } from '../../support/lab-processes.ts';

const textOf = (file: string) => readFileSync(join(projectDirectory, file), 'utf8');

it('the drivers and the Compose file use the same images, pinned', () => {
  const inCompose = [...textOf('docker-compose.yml').matchAll(/\$\{(\w+_IMAGE):-([^}]+)\}/g)];
  const defaults = Object.fromEntries(inCompose.map(([, name, image]) => [name, image]));
  const { GRAFANA_IMAGE, LIMITER_IMAGE, ...shared } = defaults;
  expect(shared).toEqual(imageDefaults);
  expect(LIMITER_IMAGE).toBe('failopen-limiter');
  for (const image of [GRAFANA_IMAGE, ...Object.values(shared)]) expect(image).toMatch(/:v?\d+\.\d+\.\d+/);
});

it('the Dockerfile has the same base as the Compose file gives it', () => {
  expect(/^ARG NODE_IMAGE=(\S+)$/m.exec(textOf('service/Dockerfile'))?.[1]).toBe(imageDefaults.NODE_IMAGE);
});

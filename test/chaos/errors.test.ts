import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectDirectory } from '../support/lab-processes.ts';
import { startChild } from '../support/process.ts';

const errors = JSON.stringify(join(projectDirectory, 'chaos', 'errors.ts'));

describe('a command that has started things', () => {
  it('ends them when an error is thrown that nothing catches, and exits with 255, not with the 1 of a fail', async () => {
    const script = `
      import { endWith, interruption } from ${errors};
      const ended = interruption('all is healed');
      setTimeout(() => { throw new TypeError('of nobody'); }, 10);
      const alive = setInterval(() => {}, 1000);
      await new Promise((resolve) => ended.addEventListener('abort', resolve));
      clearInterval(alive);
      process.stdout.write('healed');
      endWith(ended.reason);
    `;
    await using child = startChild(process.execPath, ['--input-type=module', '--eval', script], { env: {} });
    expect([await child.ended, child.stdout()]).toEqual([{ code: 255, signal: null }, 'healed']);
    expect(child.stderr()).toMatch(/^A defect of the lab: TypeError: of nobody\n/);
  });
});

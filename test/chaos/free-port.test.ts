import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../chaos/free-port.ts';

describe('a free port', () => {
  it('is another one each time', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, freePort));
    expect(new Set(ports).size).toBe(20);
  });

  it.runIf(process.platform === 'linux')("is nobody else's while the process lives that got it", async () => {
    const port = await freePort();
    const other = createServer();
    await expect(
      new Promise((resolve, reject) =>
        other.once('error', reject).listen(`\0failopen-port-${port}`, () => resolve(port)),
      ),
    ).rejects.toThrow(/EADDRINUSE/);
    const held = createServer();
    await new Promise<void>((resolve) => held.listen(`\0failopen-port-${port + 1}`, resolve));
    expect(await freePort()).toBe(port + 2);
    held.close();
  });
});

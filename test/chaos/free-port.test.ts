import { createServer, Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../chaos/free-port.ts';

describe('a free port', () => {
  it('is another one each time', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, freePort));
    expect(new Set(ports).size).toBe(20);
  });

  it.runIf(process.platform === 'linux')('is kept from other processes', async () => {
    const port = await freePort();
    const listening = (at: number) =>
      new Promise<Server | Error>((resolve) => {
        const server = createServer().once('error', resolve);
        server.listen(`\0failopen-port-${at}`, () => resolve(server));
      });
    expect(await listening(port)).toMatchObject({ code: 'EADDRINUSE' });
    const next = await listening(port + 1); // or another process has it
    expect(await freePort()).not.toBe(port + 1);
    if (next instanceof Server) next.close();
  });
});

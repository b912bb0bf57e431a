// The recipe for nginx that asks `GET /`, with a real one where the machine has it.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { nginx, nginxConfig, programOf, recipeOf, startProxy } from '../../support/proxies.ts';
import { startService } from '../../support/service.ts';

const program = programOf(nginx);

it.skipIf(program === undefined)(
  'behind nginx: large uploads pass, and a refused client gets 429 with Retry-After (needs nginx)',
  async () => {
    const api = createServer((request, response) => request.resume().on('end', () => response.end('the api')));
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    await using service = await startService({
      KEY_HEADER: 'x-key',
      RATE_LIMIT_BURST: '3', // one of them for the first look of who waits for nginx
      RATE_LIMIT_WINDOW_SEC: '1000',
    });
    const between = { limiter: `127.0.0.1:${service.port}`, api: `127.0.0.1:${(api.address() as AddressInfo).port}` };
    const recipe = recipeOf('nginx', 'proxy_pass http://limiter/;');
    const configure: typeof nginx.configure = (dir, addresses) => nginxConfig(dir, recipe, addresses);
    await using proxy = await startProxy({ name: 'nginx', configure }, program as string, between);
    const upload = async () => {
      const body = new Uint8Array(20_000_000);
      const answer = await fetch(`${proxy.url}/upload`, { method: 'POST', body });
      return [answer.status, answer.headers.has('retry-after')];
    };
    expect([await upload(), await upload(), await upload()]).toEqual([
      [200, false],
      [200, false],
      [429, true],
    ]);
    await service.child.kill();
    expect(await upload()).toEqual([200, false]);
    api.close();
  },
);

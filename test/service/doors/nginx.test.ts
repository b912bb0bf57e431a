// The recipe for nginx, with a real one where the machine has it.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort } from '../../../chaos/host/processes.ts';
import { startPoliciesService } from '../../support/policies-service.ts';
import { startChild } from '../../support/process.ts';
import { startService } from '../../support/service.ts';
import { until } from '../../support/until.ts';

const nginx = ['/usr/sbin/nginx', 'nginx'].find((path) => spawnSync(path, ['-v']).status === 0);

it.skipIf(nginx === undefined)(
  'behind nginx: large uploads pass, and a refused client gets 429 with Retry-After (needs nginx)',
  async () => {
    const [front, api] = [await freePort(), await freePort()];
    await using service = await startService({
      KEY_HEADER: 'x-key',
      RATE_LIMIT_BURST: '2',
      RATE_LIMIT_WINDOW_SEC: '1000',
    });
    const directory = mkdtempSync(join(tmpdir(), 'nginx-'));
    execFileSync('chmod', ['755', directory]); // its worker is another user
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (of) => `${of}_temp_path ${directory}/${of};`,
    );
    writeFileSync(
      join(directory, 'nginx.conf'),
      `daemon off; pid ${directory}/pid; error_log ${directory}/error.log; events {}
      http {
        access_log off; client_max_body_size 100m; ${temporary.join(' ')}
        server {
          listen 127.0.0.1:${front};
          location / {
            auth_request /.rate-limit;
            auth_request_set $limiter_status $upstream_status;
            auth_request_set $retry_after $upstream_http_retry_after;
            error_page 500 = @refused;
            proxy_pass http://127.0.0.1:${api};
          }
          location = /.rate-limit {
            internal;
            proxy_pass ${service.url}/;
            proxy_pass_request_body off;
            proxy_set_header X-Key $remote_addr;
          }
          location @refused {
            if ($limiter_status = 429) { add_header Retry-After $retry_after always; return 429; }
            return 500;
          }
        }
        server { listen 127.0.0.1:${api}; location / { return 200 "the api"; } }
      }`,
    );
    await using child = startChild(nginx as string, ['-p', directory, '-c', join(directory, 'nginx.conf')], {});
    const upload = async () => {
      const body = new Uint8Array(20_000_000);
      const answer = await fetch(`http://127.0.0.1:${front}/upload`, { method: 'POST', body });
      return [answer.status, answer.headers.has('retry-after')];
    };
    await until('nginx', async () => {
      if (child.hasEnded()) throw new Error(child.stderr());
      return (await fetch(`http://127.0.0.1:${api}`).catch(() => undefined))?.ok;
    });
    expect([await upload(), await upload(), await upload()]).toEqual([
      [200, false],
      [200, false],
      [429, true],
    ]);
    await child.stop();
    rmSync(directory, { recursive: true });
  },
);

it.skipIf(nginx === undefined)(
  'behind nginx, by /v1/auth: each request is decided by its own method and path, and refused clients get the real status (needs nginx)',
  async () => {
    const [front, api] = [await freePort(), await freePort()];
    const directory = mkdtempSync(join(tmpdir(), 'nginx-'));
    await using service = await startPoliciesService(
      `policies:
      - {name: login, match: {method: POST, path: /login}, key: address, limits: [1 per day]}
      - {name: pay, match: {path: /pay}, key: address, limits: [1 per day], onStoreFailure: closed}
      - {name: token, match: {path: /token}, key: header:x-api-key, limits: [1 per day]}`,
      { TRUST_PROXY: '1' },
    );
    execFileSync('chmod', ['755', directory]); // its worker is another user
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (of) => `${of}_temp_path ${directory}/${of};`,
    );
    writeFileSync(
      join(directory, 'nginx.conf'),
      `daemon off; pid ${directory}/pid; error_log ${directory}/error.log; events {}
      http {
        access_log off; ${temporary.join(' ')}
        server {
          listen 127.0.0.1:${front};
          location / {
            auth_request /.rate-limit;
            auth_request_set $limiter_status $upstream_http_x_ratelimit_status;
            auth_request_set $retry_after $upstream_http_retry_after;
            error_page 403 = @refused;
            proxy_pass http://127.0.0.1:${api};
          }
          location = /.rate-limit {
            internal;
            proxy_pass ${service.url}/v1/auth?refused=403;
            proxy_pass_request_body off;
            proxy_set_header X-Forwarded-Method $request_method;
            proxy_set_header X-Forwarded-Uri $request_uri;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_connect_timeout 1s;
            error_page 502 504 = @undecided;
          }
          location @undecided { return 204; }
          location @refused {
            add_header Retry-After $retry_after always;
            if ($limiter_status = 429) { return 429; }
            if ($limiter_status = 503) { return 503; }
            return 400;
          }
        }
        server { listen 127.0.0.1:${api}; location / { return 200 "the api"; } location /own { return 403; } }
      }`,
    );
    await using child = startChild(nginx as string, ['-p', directory, '-c', join(directory, 'nginx.conf')], {});
    const ask = async (method: string, path: string, headers: Record<string, string> = {}) => {
      const answer = await fetch(`http://127.0.0.1:${front}${path}`, { method, headers });
      return [answer.status, answer.headers.has('retry-after')];
    };
    await until('nginx', async () => {
      if (child.hasEnded()) throw new Error(child.stderr());
      return (await fetch(`http://127.0.0.1:${api}`).catch(() => undefined))?.ok;
    });
    expect([await ask('POST', '/login'), await ask('POST', '/login?x=1'), await ask('GET', '/login')]).toEqual([
      [200, false],
      [429, true],
      [200, false],
    ]);
    // Without Redis; without its key; and what the API itself forbids.
    expect([await ask('GET', '/pay'), await ask('GET', '/token'), await ask('GET', '/own')]).toEqual([
      [503, true],
      [400, false],
      [403, false],
    ]);
    expect(await ask('POST', '/login', { 'X-Forwarded-Uri': '/', 'X-Forwarded-For': '192.0.2.1' })).toEqual([
      429,
      true,
    ]);
    await service.stop();
    expect(await ask('POST', '/login')).toEqual([200, false]);
    await child.stop();
    rmSync(directory, { recursive: true });
  },
);

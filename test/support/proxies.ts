// The proxies that the service's README has recipes for, each run by the recipe as it stands there. Only the addresses are
// a test's own, and the time that a limiter has: a busy machine is no limiter that is away.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../chaos/free-port.ts';
import { projectDirectory } from './lab-processes.ts';
import { type Child, startChild } from './process.ts';
import { until } from './until.ts';

/** Where CI installs those that are no packages of Debian. */
export const installed = join(projectDirectory, '.lab', 'proxies', 'bin');

export interface Addresses {
  /** Where the proxy listens, on loopback. */
  readonly port: number;
  /** host:port of each. */
  readonly limiter: string;
  readonly api: string;
}

export interface Proxy {
  readonly name: string;
  /** Where programs of it may be, the first that runs is taken. */
  readonly programs: readonly string[];
  readonly versionArgs: readonly string[];
  /** Writes its files into `dir`, and says how it is called. */
  readonly configure: (dir: string, addresses: Addresses) => readonly string[];
}

export interface RunningProxy extends AsyncDisposable {
  readonly url: string;
  stop(): Promise<void>;
}

const page = readFileSync(new URL('../../service/README.md', import.meta.url), 'utf8');

/** The recipe in that language which asks `path` of the limiter. */
export function recipeOf(language: string, path = '/v1/auth'): string {
  const blocks = [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, text]) => text as string,
  );
  const recipe = blocks.find((text) => language === 'haproxy' || text.includes(path));
  if (recipe === undefined) throw new Error(`service/README.md has no recipe for ${language} that asks ${path}`);
  return recipe.replaceAll(/\b50ms/g, '20s').replaceAll('timeout = 50', 'timeout = 20000');
}

const withAddresses = (recipe: string, { limiter, api }: Addresses) =>
  recipe.replaceAll('http://limiter/', `http://${limiter}/`).replaceAll('http://api', `http://${api}`);

/** What an nginx needs around the locations of a recipe, as any user. */
export function nginxConfig(dir: string, locations: string, addresses: Addresses): readonly string[] {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${dir}/${of};`);
  writeFileSync(
    join(dir, 'nginx.conf'),
    `daemon off; pid ${dir}/pid; error_log ${dir}/error.log; events {}
    http {
      access_log off; client_max_body_size 100m; ${temporary.join(' ')}
      server { listen 127.0.0.1:${addresses.port}; ${withAddresses(locations, addresses)} }
    }`,
  );
  return ['-p', dir, '-c', join(dir, 'nginx.conf')];
}

export const nginx: Proxy = {
  name: 'nginx',
  programs: ['nginx', '/usr/sbin/nginx'],
  versionArgs: ['-v'],
  configure: (dir, addresses) => nginxConfig(dir, recipeOf('nginx'), addresses),
};

const haproxy: Proxy = {
  name: 'HAProxy',
  programs: ['haproxy', '/usr/sbin/haproxy'],
  versionArgs: ['-v'],
  configure(dir, addresses) {
    const recipe = recipeOf('haproxy')
      .replace('bind :80', `bind 127.0.0.1:${addresses.port}`)
      .replace('server limiter limiter', `server limiter ${addresses.limiter}`);
    writeFileSync(join(dir, 'rate-limit.lua'), withAddresses(recipeOf('lua'), addresses));
    writeFileSync(
      join(dir, 'haproxy.cfg'),
      `global\n  lua-load ${join(dir, 'rate-limit.lua')}\n` +
        `defaults\n  mode http\n  timeout connect 20s\n  timeout client 20s\n  timeout server 20s\n${recipe}` +
        `\nbackend api\n  server api ${addresses.api}\n`,
    );
    return ['-db', '-f', join(dir, 'haproxy.cfg')];
  },
};

const caddy: Proxy = {
  name: 'Caddy',
  programs: ['caddy', join(installed, 'caddy')],
  versionArgs: ['version'],
  configure(dir, addresses) {
    const site = recipeOf('caddyfile')
      .replace('http://:80 ', `http://:${addresses.port} `)
      .replace('forward_auth limiter', `forward_auth ${addresses.limiter}`)
      .replaceAll(/(reverse_proxy (?:@undecided )?)api/g, `$1${addresses.api}`);
    const options = `{\n  admin off\n  persist_config off\n  default_bind 127.0.0.1\n  storage file_system ${dir}\n}\n`;
    writeFileSync(join(dir, 'Caddyfile'), options + site);
    return ['run', '--config', join(dir, 'Caddyfile'), '--adapter', 'caddyfile'];
  },
};

const traefik: Proxy = {
  name: 'Traefik',
  programs: ['traefik', join(installed, 'traefik')],
  versionArgs: ['version'],
  configure(dir, addresses) {
    writeFileSync(join(dir, 'dynamic.yml'), withAddresses(recipeOf('traefik'), addresses));
    return [
      `--entryPoints.web.address=127.0.0.1:${addresses.port}`,
      `--providers.file.filename=${join(dir, 'dynamic.yml')}`,
      '--global.checkNewVersion=false',
      '--global.sendAnonymousUsage=false',
    ];
  },
};

export const proxies: readonly Proxy[] = [nginx, haproxy, caddy, traefik];

/** What runs it here; undefined where nothing does. */
export function programOf({ programs, versionArgs }: Proxy): string | undefined {
  return programs.find((program) => spawnSync(program, versionArgs).status === 0);
}

/** Starts it, and waits until it answers by whatever. */
export async function startProxy(
  proxy: Pick<Proxy, 'configure' | 'name'>,
  program: string,
  between: Omit<Addresses, 'port'>,
): Promise<RunningProxy> {
  const dir = mkdtempSync(join(tmpdir(), 'failopen-proxy-'));
  chmodSync(dir, 0o755); // some have workers of another user
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child: Child = startChild(program, proxy.configure(dir, { ...between, port }), { cwd: dir });
  const stop = async () => {
    await child.stop();
    rmSync(dir, { recursive: true });
  };
  await until(proxy.name, async () => {
    if (child.hasEnded()) throw new Error(`${proxy.name} ended: ${child.stdout()}${child.stderr()}`);
    return (await fetch(`${url}/ready`).catch(() => undefined))?.status === 200;
  });
  return { url, stop, [Symbol.asyncDispose]: stop };
}

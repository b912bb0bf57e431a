// The reference deployment, brought up as a person does it, under a project name and on ports of its own so that it stands
// beside one that is up already, and beside those of other tests.

import { execFileSync, spawnSync } from 'node:child_process';
import { freePort } from '../../chaos/free-port.ts';
import { LabCommand, projectDirectory } from './lab-processes.ts';

/** Grafana needs an image that not every machine can get, and nothing depends on it. */
export const stackServices = ['redis', 'toxiproxy', 'limiter-1', 'limiter-2', 'prometheus'];

/** For COMPOSE_FILE. Health is looked at every 3 s in place of 10 s. */
export const quickHealth = 'docker-compose.yml:test/support/quick-health.yml';

const portVariables = [
  'LIMITER_1_PORT',
  'LIMITER_2_PORT',
  'LIMITER_CLUSTER_PORT',
  'LIMITER_SENTINEL_PORT',
  'TOXIPROXY_PORT',
  'PROMETHEUS_PORT',
] as const;
export type PortVariable = (typeof portVariables)[number];

export class ComposeStack {
  readonly project: string;
  /** What Compose and the lab's commands need to find it. */
  readonly environment: Readonly<Record<string, string>>;

  private constructor(environment: Readonly<Record<string, string>>, project: string) {
    this.environment = environment;
    this.project = project;
  }

  /** Not up yet: its ports are chosen and the service's image is built. */
  static async prepared(project: string, composeFile = 'docker-compose.yml'): Promise<ComposeStack> {
    const isPassedOn = (name: string) => name.endsWith('_IMAGE') || ['DOCKER_BUILDKIT', 'CGROUP_PARENT'].includes(name);
    const passedOn = Object.entries(process.env).filter(([name]) => isPassedOn(name));
    const environment = Object.fromEntries(passedOn) as Record<string, string>;
    for (const variable of portVariables) environment[variable] = String(await freePort());
    const own = { COMPOSE_PROJECT_NAME: project, COMPOSE_FILE: composeFile };
    const stack = new ComposeStack({ ...environment, ...own }, project);
    stack.docker('compose', 'build', '--quiet', 'limiter-1');
    return stack;
  }

  urlOf(variable: PortVariable): string {
    return `http://127.0.0.1:${this.environment[variable]}`;
  }

  /** What the command prints. Throws when it fails. */
  docker(...args: string[]): string {
    const env = { ...process.env, ...this.environment };
    return execFileSync('docker', args, { cwd: projectDirectory, encoding: 'utf8', env, stdio: 'pipe' }).trim();
  }

  /** Waits until they are healthy. */
  up(...services: string[]): void {
    this.docker('compose', 'up', '--build', '--wait', ...services);
  }

  /** As another project that wants the same ports: how `up` ends. It is down again afterwards. */
  upBeside(service: string): { readonly status: number | null; readonly stderr: string } {
    const env = { ...process.env, ...this.environment, COMPOSE_PROJECT_NAME: `${this.project}-2` };
    const compose = (...args: string[]) =>
      spawnSync('docker', ['compose', ...args], { cwd: projectDirectory, encoding: 'utf8', env });
    const { status, stderr } = compose('up', '--wait', service);
    compose('down');
    return { status, stderr };
  }

  kill(service: string): void {
    this.docker('kill', this.docker('compose', 'ps', '--all', '--quiet', service));
  }

  down(): void {
    this.docker('compose', '--profile', '*', 'down', '--volumes', '--timeout', '2');
  }

  /** `npm run scenario` on it. */
  scenario(args: readonly string[], env: Readonly<Record<string, string>> = {}): LabCommand {
    return new LabCommand(['scenarios/main.ts', ...args, '--driver', 'compose'], { ...this.environment, ...env });
  }

  /** How a command ends that is refused. */
  async refusalOf(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    await using command = this.scenario(args, env);
    const { status, stdout, stderr } = await command.ended;
    return { status, stdout, stderr };
  }

  /** Who decides on requests to it, as the limiter itself says; undefined while it does not. */
  async mechanismOf(variable: PortVariable): Promise<string | undefined> {
    const response = await fetch(`${this.urlOf(variable)}/readyz`).catch(() => undefined);
    return ((await response?.json()) as { mechanism?: string } | undefined)?.mechanism;
  }
}

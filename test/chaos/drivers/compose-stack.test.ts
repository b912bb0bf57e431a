import { describe, expect, it } from 'vitest';
import { otherImageOf, services, stackOf } from '../../../chaos/drivers/compose-stack.ts';

const row = (Service: string, State = 'running', Health = 'healthy') =>
  JSON.stringify({ ID: `id of ${Service}`, Service, State, Health });
const whole = services.map((service) => row(service));

describe('a Compose stack', () => {
  it('is healthy when every part runs, and gives their ids; Grafana may be missing', () => {
    expect(stackOf(`${whole.join('\n')}\n`)).toEqual({
      state: 'healthy',
      ids: Object.fromEntries(services.map((service) => [service, `id of ${service}`])),
    });
  });

  it('is not up when Compose names no container', () => {
    expect(stackOf('\n')).toEqual({
      state: 'unusable',
      why: "this project's Compose stack is not up. Type: docker compose up --build --wait",
    });
  });

  it('that is half up is named part by part, with the command that helps', () => {
    const half = [
      row('redis', 'exited', ''),
      row('toxiproxy'),
      row('limiter-1', 'running', 'unhealthy'),
      row('limiter-2', 'running', 'starting'),
    ];
    expect(stackOf(half.join('\n'))).toEqual({
      state: 'unusable',
      why: 'the Compose stack is not healthy: redis is exited, limiter-1 is unhealthy, limiter-2 is starting, prometheus is missing. Type: docker compose up --build --wait',
    });
  });
});

describe('the image that LIMITER_IMAGE names', () => {
  const [yours, older, ours] = ['sha256:aaaaaaaaaaaaaaaa', 'sha256:bbbbbbbbbbbbbbbb', 'sha256:cccccccccccccccc'];
  const asked = { name: 'you/limiter:1', id: yours };
  const type =
    "LIMITER_IMAGE=you/limiter:1 docker compose up --wait   (with --build it would be built from this project's source), or use --driver containers";

  it('may be judged when both limiters were made from it, by whatever name', () => {
    expect(otherImageOf(asked, `${yours} you/limiter:1\n${yours} you/limiter:latest\n`)).toBeUndefined();
  });

  it('is not what a stack runs that was started without it; told are both, and what to type', () => {
    expect(otherImageOf(asked, `${ours} failopen-limiter\n${ours} failopen-limiter\n`)).toBe(
      `LIMITER_IMAGE names you/limiter:1 (aaaaaaaaaaaa), and the stack that is up runs failopen-limiter (cccccccccccc). Type: ${type}`,
    );
  });

  it('is not what a limiter runs that was made before the name moved on', () => {
    expect(otherImageOf(asked, `${yours} you/limiter:1\n${older} you/limiter:1\n`)).toBe(
      `LIMITER_IMAGE names you/limiter:1 (aaaaaaaaaaaa), and the stack that is up runs you/limiter:1 (bbbbbbbbbbbb). Type: ${type}`,
    );
  });

  it('is not what a stack runs when it is not on this machine', () => {
    expect(otherImageOf({ ...asked, id: undefined }, `${ours} failopen-limiter\n`)).toBe(
      `LIMITER_IMAGE names you/limiter:1 (not on this machine), and the stack that is up runs failopen-limiter (cccccccccccc). Type: ${type}`,
    );
  });
});

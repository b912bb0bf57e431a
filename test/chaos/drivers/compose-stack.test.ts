import { describe, expect, it } from 'vitest';
import { services, stackOf } from '../../../chaos/drivers/compose-stack.ts';

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

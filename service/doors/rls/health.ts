// gRPC's own question whether a server serves (grpc.health.v1), for load balancers and for Envoy's health checks: once, or
// told as it changes. This server serves as long as it runs; it says so until it is told to stop.

import {
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { service } from 'grpc-health-check';

interface Question {
  readonly service: string;
}

type State = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

interface Answer {
  readonly status: State;
}

type Watch = ServerWritableStream<Question, Answer>;

export class Health {
  /** What it may be asked about; the server as a whole has no name. */
  readonly #services: readonly string[];
  readonly #watches = new Set<Watch>();
  #isServing = true;

  constructor(services: readonly string[]) {
    this.#services = ['', ...services];
  }

  readonly definition: ServiceDefinition = service;

  /** Of the methods of `definition`. */
  readonly methods = {
    check: ({ request }: ServerUnaryCall<Question, Answer>, answer: sendUnaryData<Answer>) => {
      const state = this.#stateOf(request.service);
      if (state !== 'SERVICE_UNKNOWN') return answer(null, { status: state });
      answer({ code: status.NOT_FOUND, details: `There is no such service; there is ${this.#services[1]}.` });
    },
    watch: (watch: Watch) => {
      watch.write({ status: this.#stateOf(watch.request.service) });
      if (!this.#isServing) return watch.end();
      this.#watches.add(watch);
      watch.once('cancelled', () => this.#watches.delete(watch));
    },
    list: (_call: unknown, answer: sendUnaryData<{ readonly statuses: Readonly<Record<string, Answer>> }>) => {
      const statuses = this.#services.map((name) => [name, { status: this.#stateOf(name) }]);
      answer(null, { statuses: Object.fromEntries(statuses) });
    },
  };

  /** It does not serve from now on; who watches is told, and not kept. */
  stop(): void {
    this.#isServing = false;
    for (const watch of this.#watches) {
      watch.write({ status: this.#stateOf(watch.request.service) });
      watch.end();
    }
    this.#watches.clear();
  }

  #stateOf(name: string): State {
    if (!this.#services.includes(name)) return 'SERVICE_UNKNOWN';
    return this.#isServing ? 'SERVING' : 'NOT_SERVING';
  }
}

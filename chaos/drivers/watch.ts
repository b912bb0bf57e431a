// Watches the containers of a run: their output goes into files, and one that ends by itself is missed.

import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '../errors.ts';
import type { Container, Engine } from '../host/engine.ts';
import { tailOf } from '../host/processes.ts';

interface Part {
  readonly name: string;
  readonly container: Container;
  readonly log: string;
  expectedToEnd: boolean;
}

export class ContainerWatch implements Disposable {
  /** Rejects when a container ends that nobody broke. */
  readonly broken: Promise<never>;
  readonly #reject: (error: Error) => void;
  readonly #engine: Engine;
  readonly #logs: string;
  readonly #parts = new Map<string, Part>();
  readonly #open = new Set<{ destroy(): void }>();
  readonly #startedMs = Date.now();
  #disposed = false;

  private constructor(engine: Engine, logs: string) {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {}); // whoever runs an experiment listens
    this.broken = promise;
    this.#reject = reject;
    this.#engine = engine;
    this.#logs = logs;
  }

  /** `logs`: the directory that takes the containers' output. */
  static async start(engine: Engine, logs: string): Promise<ContainerWatch> {
    const watch = new ContainerWatch(engine, logs);
    const events = await engine.dockerode.getEvents({ filters: { type: ['container'], event: ['die'] } });
    watch.#open.add(events as typeof events & { destroy(): void });
    events.on('error', () => {}); // the engine is gone; whoever needs it next will say so
    events.on('data', (line: Buffer) => watch.#died(line.toString()));
    return watch;
  }

  /** From now on its output is kept, and its end noticed. */
  async add(name: string, id: string): Promise<void> {
    const container = this.#engine.dockerode.getContainer(id);
    const part = { name, container, log: join(this.#logs, `${name}.log`), expectedToEnd: false };
    this.#parts.set(id, part);
    await this.#follow(part, this.#startedMs);
  }

  /** Its end is part of the experiment. */
  expectEnd(id: string): void {
    const part = this.#parts.get(id);
    if (part) part.expectedToEnd = true;
  }

  /** The file that takes its output. */
  logOf(id: string): string {
    return this.#parts.get(id)?.log ?? '';
  }

  /** It has been started again. */
  async restarted(id: string): Promise<void> {
    const part = this.#parts.get(id);
    if (!part) return;
    part.expectedToEnd = false;
    await this.#follow(part, Date.now());
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const stream of this.#open) stream.destroy();
  }

  /** Appends what it said since then, and says from now on, to its file. */
  async #follow({ container, log }: Part, sinceMs: number): Promise<void> {
    const since = Math.floor(sinceMs / 1000);
    const output = await container.logs({ follow: true, stdout: true, stderr: true, since });
    const file: WriteStream = createWriteStream(log, { flags: 'a' });
    file.on('error', () => {}); // the experiment's own record fails first, and says so
    this.#engine.dockerode.modem.demuxStream(output, file, file);
    const stream = output as typeof output & { destroy(): void };
    const end = () => {
      this.#open.delete(stream);
      file.end();
    };
    this.#open.add(stream);
    output.on('end', end).on('close', end).on('error', end);
  }

  #died(line: string): void {
    const { Actor } = JSON.parse(line) as { Actor?: { ID?: string; Attributes?: { exitCode?: string } } };
    const part = this.#parts.get(Actor?.ID ?? '');
    if (!part || part.expectedToEnd || this.#disposed) return;
    const status = Actor?.Attributes?.exitCode ?? 'unknown';
    this.#reject(new LabError(`${part.name} exited with status ${status} in mid-run: ${tailOf(part.log)}`));
  }
}

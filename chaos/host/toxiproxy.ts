// Toxiproxy's API with what its client leaves out: a deadline on every call, errors that say what went wrong, and a look
// afterwards whether the change is really there.

import { Toxiproxy } from 'toxiproxy-node-client';
import { within } from '../clock.ts';
import type { Toxic, Toxics } from '../environment.ts';
import { LabError } from '../errors.ts';

const callMsMax = 5000;
/** Of a change of toxics: Toxiproxy waits 5 s for each packet it holds that a connection which is closed takes no more. */
const toxicMsMax = 20_000;

export class ToxiproxyApi implements Toxics {
  readonly #client: Toxiproxy;

  constructor(url: string) {
    this.#client = new Toxiproxy(url);
  }

  /** Creates a proxy that listens there, by default on a free loopback port, and returns the port. */
  async createProxy(name: string, upstream: string, listen = '127.0.0.1:0'): Promise<number> {
    const body = { name, listen, upstream, enabled: true };
    const proxy = await this.#call(`create proxy ${name}`, this.#client.createProxy(body));
    const port = Number(/:(\d+)$/.exec(proxy.listen)?.[1]);
    if (!port) throw new LabError(`Toxiproxy created proxy ${name} but says that it listens on "${proxy.listen}"`);
    return port;
  }

  /**
   * One request and no more: this runs at the very moment that an experiment looks at. Toxiproxy answers with the toxic
   * that it now has, and the fault's probe looks through the link.
   */
  async addToxic(proxyName: string, toxic: Toxic): Promise<void> {
    const { name } = toxic;
    const path = `${this.#client.host}/proxies/${proxyName}/toxics`;
    const body = { toxicity: 1, ...toxic };
    const { data } = await this.#call(
      `add ${name} to ${proxyName}`,
      this.#client.api.post<{ name?: string }>(path, body),
      toxicMsMax,
    );
    if (data?.name !== name)
      throw new LabError(`Toxiproxy accepted ${name} on ${proxyName} but answers ${JSON.stringify(data)}`);
  }

  async changeToxic(proxyName: string, { name, attributes }: Toxic): Promise<void> {
    const path = `${this.#client.host}/proxies/${proxyName}/toxics/${name}`;
    await this.#call(`change ${name} of ${proxyName}`, this.#client.api.post(path, { attributes }), toxicMsMax);
  }

  /** Takes those off the proxy that have one of the names; every toxic when there are none. */
  async removeToxics(proxyName: string, names?: readonly string[]): Promise<void> {
    const path = `${this.#client.host}/proxies/${proxyName}/toxics`;
    const present = async () => (await this.toxicsOf(proxyName)).filter((name) => names?.includes(name) ?? true);
    for (const name of await present()) {
      await this.#call(`remove ${name} from ${proxyName}`, this.#client.api.delete(`${path}/${name}`), toxicMsMax);
    }
    const left = await present();
    if (left.length > 0)
      throw new LabError(`Toxiproxy removed the toxics of ${proxyName} but still lists ${left.join(', ')}`);
  }

  /** Whether the proxy listens; one that does not has closed its connections. */
  async setEnabled(proxyName: string, enabled: boolean): Promise<void> {
    const path = `${this.#client.host}/proxies/${proxyName}`;
    const what = `${enabled ? 'enable' : 'disable'} proxy ${proxyName}`;
    const { data } = await this.#call(what, this.#client.api.post<{ enabled?: boolean }>(path, { enabled }));
    if (data?.enabled !== enabled) throw new LabError(`Toxiproxy was to ${what} but answers ${JSON.stringify(data)}`);
  }

  async isEnabled(proxyName: string): Promise<boolean> {
    const path = `${this.#client.host}/proxies/${proxyName}`;
    const { data } = await this.#call(`look at proxy ${proxyName}`, this.#client.api.get<{ enabled: boolean }>(path));
    return data.enabled;
  }

  async toxicsOf(proxyName: string): Promise<string[]> {
    const path = `${this.#client.host}/proxies/${proxyName}/toxics`;
    const { data } = await this.#call(`list toxics of ${proxyName}`, this.#client.api.get<{ name: string }[]>(path));
    return data.map(({ name }) => name);
  }

  /** Removes the proxy and closes its connections. Safe to call when there is none. */
  async removeProxy(name: string): Promise<void> {
    const url = `${this.#client.host}/proxies/${name}`;
    if (!(await this.proxies()).includes(name)) return;
    await this.#call(`remove proxy ${name}`, this.#client.api.delete(url));
  }

  /** The names of all proxies. */
  async proxies(): Promise<string[]> {
    const url = `${this.#client.host}/proxies`;
    const { data } = await this.#call('list proxies', this.#client.api.get<Record<string, unknown>>(url));
    return Object.keys(data);
  }

  /** Toxiproxy's version; rejects when it does not answer. */
  async version(): Promise<string> {
    const text = await this.#call('read version', this.#client.api.getText(`${this.#client.host}/version`));
    return /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? text.trim();
  }

  async #call<T>(what: string, call: Promise<T>, msMax = callMsMax): Promise<T> {
    const late = () => new LabError(`Toxiproxy did not answer within ${msMax / 1000} s: ${what}`);
    try {
      return await within(msMax, call, late);
    } catch (error) {
      if (error instanceof LabError) throw error;
      throw new LabError(`Toxiproxy: ${what}: ${(error as { message?: string }).message ?? String(error)}`);
    }
  }
}

// Who may talk to the console: whoever has its token, from its own page, under a name that nobody can point elsewhere.
//
//   address with token ──▶ page + cookie (HttpOnly, SameSite=Strict) ──▶ everything else by the cookie
//
// Host is checked against DNS rebinding: an address in numbers, `localhost`, or the name that was asked for. Origin and
// Sec-Fetch-Site are checked against other pages in the same browser, also those of another port of this machine.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

export interface GuardedRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the address; undefined without one. */
  readonly token: string | undefined;
}

export class Guard {
  readonly token: string = randomBytes(24).toString('base64url');
  readonly #host: string;

  /** `host` is what the console was told to listen on. */
  constructor(host: string) {
    this.#host = host;
  }

  /** The cookie is named after the port: browsers send it to every port of a host. */
  cookieFor(headers: IncomingHttpHeaders): string {
    return `${cookieName(headers)}=${this.token}; Path=/; HttpOnly; SameSite=Strict`;
  }

  /** Why the request is refused; undefined when it is not. */
  refusal({ method, headers, token }: GuardedRequest): string | undefined {
    const host = headers.host ?? '';
    if (!this.#isOwnName(host)) return `The host "${host}" is not the console's.`;
    const { origin } = headers;
    if (origin !== undefined && origin !== `http://${host}`) return `The origin "${origin}" is not the console's page.`;
    if (method !== 'GET' && method !== 'HEAD' && origin === undefined) return 'A change needs the Origin of the page.';
    if (token !== undefined) return this.#isToken(token) ? undefined : 'The token in the address is not the console’s.';
    const site = headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return `A request from a ${site} page.`;
    const cookie = cookiesOf(headers).get(cookieName(headers));
    if (cookie === undefined || !this.#isToken(cookie)) return 'Open the address that the console printed.';
    return undefined;
  }

  #isOwnName(host: string): boolean {
    const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
    return isIP(name) !== 0 || name === 'localhost' || name === this.#host;
  }

  #isToken(text: string): boolean {
    const [given, wanted] = [Buffer.from(text), Buffer.from(this.token)];
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}

/** What the page may do: nothing but its own scripts, styles and server. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self'`,
    `connect-src 'self'`,
    `img-src data:`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** A report brings style and script in itself, named by hash. The sandbox keeps it away from the console all the same. */
export const reportPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; sandbox allow-scripts; frame-ancestors 'none'";

function cookieName({ host = '' }: IncomingHttpHeaders): string {
  return `failopen-console-${/:(\d+)$/.exec(host)?.[1] ?? '80'}`;
}

function cookiesOf({ cookie = '' }: IncomingHttpHeaders): Map<string, string> {
  return new Map(
    cookie.split('; ').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

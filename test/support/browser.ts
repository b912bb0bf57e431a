// Debian's Chromium, or whichever `npm run setup` found, for tests that look at a page.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from '@playwright/test';
import { browser, find } from '../../chaos/host/binaries.ts';
import { projectDirectory } from './lab-processes.ts';

/** Where screenshots are kept; git-ignored. */
export const screenshots = join(projectDirectory, '.lab', 'screenshots');
mkdirSync(screenshots, { recursive: true });

export async function launch(): Promise<Browser> {
  const found = await find(browser);
  if (!found) throw new Error('There is no Chromium. Type: npm run setup');
  const quiet = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update'];
  return chromium.launch({
    executablePath: found.path,
    args: ['--no-sandbox', '--disable-gpu', '--disable-sync', ...quiet],
  });
}

/** A page of its own, and all that it asked the network for or complained about. */
export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Requests other than for the page itself. */
  readonly requests: readonly string[];
  readonly complaints: readonly string[];
}

export async function visit(on: Browser, path: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await on.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  const own = `file://${path}`;
  page.on('request', (request) => {
    if (request.url() !== own && !request.url().startsWith('data:')) requests.push(request.url());
  });
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(own);
  return { page, requests, complaints, [Symbol.asyncDispose]: () => context.close() };
}

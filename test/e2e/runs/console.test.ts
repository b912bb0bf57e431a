// The console in a browser, as somebody uses it: real runs, started, watched, stopped and switched from the page. Whether a
// run passes is no matter here, so there are few requests and others run beside it.

/// <reference lib="dom" />

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, screenshots } from '../../support/browser.ts';
import { LabCommand, notedBy, run, stillThere, temporaryDirectory } from '../../support/lab-processes.ts';
import { until } from '../../support/until.ts';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const temporary = temporaryDirectory();
const runMsMax = 60_000;
const rate = '200';
let browser: Browser;
let lab: LabCommand;
let url: string;
const complaints: string[] = [];

beforeAll(async () => {
  browser = await launch();
  lab = new LabCommand(['chaos/console/main.ts', '--port', '0', '--out', temporary.path]);
  url = await until('the address', () => /console: (\S+)\n/.exec(lab.stdout)?.[1]);
});
afterAll(async () => {
  await browser.close();
  await lab[Symbol.asyncDispose]();
  temporary[Symbol.dispose]();
});

async function visit(options = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  await page.locator('.scenario').first().waitFor();
  await page.getByLabel('Driver').selectOption('native'); // `auto` may find a Docker that is slow
  return page;
}

const breakers = (page: Page) =>
  page.locator('.chart', { hasText: 'Breaker of each instance' }).getByRole('img').getAttribute('aria-label');
/** What is recorded of the run that began last. */
function lastEvents(): string {
  const last =
    readdirSync(temporary.path)
      .filter((name) => name !== 'latest')
      .sort()
      .at(-1) ?? '';
  return readFileSync(join(temporary.path, last, 'events.ndjson'), 'utf8');
}
/** The console's children: the one that runs the scenario is among them. */
const children = () => readFileSync(`/proc/${lab.pid}/task/${lab.pid}/children`, 'utf8').trim().split(' ').map(Number);
const activity = (page: Page) => page.locator('#activity').textContent();
const sees = (page: Page, pattern: RegExp) =>
  until(`breakers ${pattern}`, async () => pattern.test((await breakers(page)) ?? ''));

async function serious(page: Page) {
  await page.addScriptTag({ path: axe });
  const { violations } = (await page.evaluate('axe.run()')) as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  return violations.map(({ id, nodes }) => [id, nodes[0]?.html]);
}

async function photograph(page: Page, name: string) {
  for (const width of [1280, 390]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height: 844 });
      await page.emulateMedia({ colorScheme });
      await page.waitForFunction(() => {
        const [plot, canvas] = [document.querySelector('.plot'), document.querySelector('.plot .uplot')];
        return plot?.clientWidth === canvas?.clientWidth;
      });
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      expect(tooWide, `${name} ${width} ${colorScheme}`).toBe(false);
      await page.screenshot({ path: join(screenshots, `console-${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

describe('a partition from the page', () => {
  it(
    'shows the breaker open and close, to every viewer and after a reload, and ends with a verdict',
    async () => {
      const page = await visit({ bypassCSP: true });
      const other = await visit();
      await page.getByLabel('Seed').fill('11');
      await page.getByLabel('Requests/s').fill(rate);
      await page.getByRole('radio', { name: /^partition/ }).check();
      await page.getByRole('button', { name: 'Run' }).click();
      await until('fault', async () => /fault, \d+ s left/.test((await activity(page)) ?? ''));
      await sees(page, /limiter-1: .*open from/);
      await until('the same on the other', async () =>
        /^partition · seed 11 · fault, /.test((await activity(other)) ?? ''),
      );
      await sees(other, /limiter-1: .*open from/);
      const refused = await page.evaluate(async () => {
        const body = JSON.stringify({ scenario: 'baseline', driver: 'auto', seed: 1, rate: 10 });
        const headers = { 'Content-Type': 'application/json' };
        const response = await fetch('/run', { method: 'POST', headers, body });
        return [response.status, await response.json()];
      });
      expect(refused).toEqual([409, { error: 'partition is running: one run at a time. Stop it, or wait.' }]);
      await photograph(page, 'fault');
      await other.reload();
      await sees(other, /limiter-1: .*open from/); // of before the reload, too
      await page.locator('#outcome').waitFor({ timeout: runMsMax });
      expect(await breakers(page)).toMatch(/limiter-1: .*open from .*closed from/);
      expect(await page.locator('#outcome .badge').textContent()).toMatch(/^(pass|fail|unknown)$/);
      await other.locator('#outcome').waitFor();
      expect(await other.locator('#outcome').textContent()).toBe(await page.locator('#outcome').textContent());
      await photograph(page, 'end');
      expect(await serious(page)).toEqual([]);
      const [report] = await Promise.all([
        page.context().waitForEvent('page'),
        page.getByRole('link', { name: 'Open the report' }).click(),
      ]);
      await report.getByRole('heading', { name: 'What happened, over time' }).waitFor();
      await report.locator('#answers .plot').hover();
      expect(await report.locator('output').textContent()).toContain('requests/s');
      await Promise.all([page.context().close(), other.context().close()]);
    },
    4 * runMsMax,
  );

  it(
    'that is stopped in mid-fault is healed, and leaves nothing behind',
    async () => {
      const page = await visit();
      await page.getByLabel('Requests/s').fill(rate);
      await page.getByRole('button', { name: 'Run' }).click();
      await until('fault', async () => /(onset|fault), \d+ s left/.test((await activity(page)) ?? ''));
      const runners = children();
      const noted = runners.flatMap(notedBy);
      await page.getByRole('button', { name: 'Stop and heal' }).click();
      await until('idle', async () => (await activity(page)) === 'idle');
      expect(await page.locator('#outcome .badge').textContent()).toBe('stopped');
      expect(await page.locator('#log').textContent()).toMatch(/partition taken off limiter-1/);
      expect({ some: noted.length > 6, left: stillThere(noted), undo: runners.flatMap(notedBy) }).toEqual({
        some: true,
        left: [],
        undo: [],
      });
      await page.context().close();
    },
    4 * runMsMax,
  );
});

describe('a session by hand', () => {
  it(
    'heals a fault at its limit',
    async () => {
      const page = await visit();
      await page.getByLabel('Requests/s').fill(rate);
      await page.getByRole('button', { name: 'Load by hand' }).click();
      const row = page.getByRole('group', { name: 'limiter-1 → redis' });
      await row.waitFor({ timeout: runMsMax });
      // A failed call is told by two scrapes: one before it and one after it.
      await until('a scrape', () => /"store-errors","instance":"limiter-1"/.test(lastEvents()));
      await page.getByLabel(/heals itself after/).fill('3');
      await row.getByRole('button', { name: 'partition' }).click();
      await until('on', async () => /partition, heals in/.test((await page.locator('#switches').textContent()) ?? ''));
      await sees(page, /limiter-1: .*open from/);
      await page.locator('.switch.on').waitFor({ state: 'detached', timeout: runMsMax });
      await sees(page, /limiter-1: [^:]*open from [^:]*closed from [\d.]+ s\. limiter-2/);
      await page.getByRole('button', { name: 'Stop and heal' }).click();
      await until('stopping', async () => (await row.getByRole('button', { disabled: true }).count()) === 4);
      const late = await page.evaluate(async () => {
        const body = JSON.stringify({ link: 'limiter-1', fault: 'partition', seconds: 30 });
        const headers = { 'Content-Type': 'application/json' };
        const response = await fetch('/switch', { method: 'POST', headers, body });
        return [response.status, await response.json()];
      });
      expect(late).toEqual([409, { error: 'The session by hand is at its end: it heals everything.' }]);
      await page.locator('#outcome').waitFor({ timeout: runMsMax });
      const [on, off] = ['put on', 'taken off'].map(async (what) => {
        const log = (await page.locator('#log').textContent()) ?? '';
        return Number(new RegExp(`([\\d.]+) s  partition ${what} limiter-1`).exec(log)?.[1]);
      });
      // Not before; how much later on a busy machine, nobody knows, but it was nobody's hand.
      expect(((await off) ?? 0) - ((await on) ?? 0)).toBeGreaterThanOrEqual(2.9);
      await page.context().close();
    },
    4 * runMsMax,
  );
});

describe('the console', () => {
  it('shows the last run to whoever comes later, with the calls to Redis that failed in it', async () => {
    const page = await visit();
    await page.getByRole('img', { name: /^Store errors: .*: [1-9][\d,.]* timeout, / }).waitFor();
    await page.context().close();
  });

  it('says of a run that did not start that there is nothing to show, to whoever comes later too', async () => {
    const page = await visit();
    await page.getByLabel('Driver').selectOption('compose'); // it has no cluster, here or anywhere
    await page.getByRole('radio', { name: /^cluster-master-kill/ }).check();
    await page.getByRole('button', { name: 'Run' }).click();
    const later = async () => {
      await page.locator('#outcome .badge.broken').waitFor({ timeout: runMsMax });
      return [await page.locator('#lanes-title').textContent(), await page.locator('#hypothesis').textContent()];
    };
    const nothing = ['Nothing to show', 'cluster-master-kill ended before its first request.'];
    expect(await later()).toEqual(nothing);
    await page.reload();
    expect(await later()).toEqual(nothing);
    await page.context().close();
  });

  it('says when another console has taken its port, whose token the page does not have', async () => {
    const start = async (port: string) => {
      const other = new LabCommand(['chaos/console/main.ts', '--port', port, '--out', temporary.path]);
      return { other, at: await until('the address', () => /console: (\S+)\n/.exec(other.stdout)?.[1]) };
    };
    const first = await start('0');
    const page = await (await browser.newContext()).newPage();
    await page.goto(first.at);
    await page.locator('.scenario').first().waitFor();
    await first.other[Symbol.asyncDispose]();
    await page.getByText('The console does not answer; trying again.').waitFor();
    const { other } = await start(new URL(first.at).port);
    await page.getByText('Another console answers here. Open the address that it printed.').waitFor();
    await page.context().close();
    await other[Symbol.asyncDispose]();
  });

  it('answers 403 to a wrong token, a wrong origin and another name', async () => {
    const { origin } = new URL(url);
    const page = await visit();
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const status = async (path: string, init: RequestInit = {}) => (await fetch(`${origin}${path}`, init)).status;
    const post = (from: string) => ({ method: 'POST', headers: { cookie, origin: from } });
    expect([
      await status('/?token=wrong'),
      await status('/events'),
      await status('/stop', post('http://127.0.0.1:1')),
      await status('/stop', { method: 'POST', headers: { cookie } }),
      await status('/stop', post(origin)),
      await status('/run', post(origin)),
    ]).toEqual([403, 403, 403, 403, 204, 400]);
    await page.context().close();
  });

  it('explains a port that is none', async () => {
    const { status, stdout, stderr } = await run(['chaos/console/main.ts', '--port', 'abc']);
    expect({ status, stdout, stderr }).toEqual({
      status: 254,
      stdout: '',
      stderr: '--port is "abc"; allowed: a whole number from 0 to 65535, 0 for any that is free.\n',
    });
  });

  it('had nothing to complain of in any page', () => {
    expect(complaints.filter((text) => !/status of 409/.test(text))).toEqual([]);
  });
});

// The console's page without a lab behind it: what the server tells is told by the test.

/// <reference lib="dom" />

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assets } from '../../chaos/console/assets.ts';
import { LiveRun } from '../../chaos/console/live-run.ts';
import type { Feed, Status } from '../../chaos/console/messages.ts';
import { limits } from '../../chaos/console/requests.ts';
import type { HistoryEvent } from '../../chaos/history.ts';
import { launch } from '../support/browser.ts';
import { eventsOf } from '../support/history-builder.ts';

const files = assets();
const [run, ...events] = eventsOf();
let browser: Browser;
let server: Server;

beforeAll(async () => {
  browser = await launch();
  server = createServer(({ url = '' }, response) => {
    const file = files.get(url);
    response.writeHead(file ? 200 : 404, { 'Content-Type': file?.type ?? 'text/plain' }).end(file?.text);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(async () => {
  await browser.close();
  server.close();
});

/** In place of the browser's own: the test tells what came, and sees how many are open. */
function fakeEventSource() {
  const all: EventTarget[] = [];
  Object.assign(globalThis, {
    sources: all,
    EventSource: class extends EventTarget {
      constructor() {
        super();
        all.push(this);
      }
      close() {
        all.splice(all.indexOf(this), 1);
      }
    },
  });
}
declare const sources: EventTarget[];

async function visit(): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  await page.addInitScript(fakeEventSource);
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => sources.length === 1);
  await tell(page, 'facts', { scenarios: [], drivers: ['auto'], limits });
  return page;
}

function tell<K extends keyof Feed>(page: Page, name: K, data: Feed[K]): Promise<void> {
  return page.evaluate(
    ([name, data]) => {
      for (const source of sources) source.dispatchEvent(new MessageEvent(name, { data }));
    },
    [name, JSON.stringify(data)] as const,
  );
}

const working = { mode: 'scenario', scenario: 'partition', seed: 1, driver: 'native' } as const;
const running: Status = { activity: { state: 'running', ...working }, last: null, switches: [] };

function atOf(event: HistoryEvent): number {
  if ('scheduledMs' in event) return event.scheduledMs;
  return 'atMs' in event ? event.atMs : 'beginMs' in event ? event.beginMs : 0;
}

/** As the server tells a run that has gone on for so long. */
async function tellRun(page: Page, untilMs: number): Promise<void> {
  if (run?.type !== 'run') throw new Error('a history begins with its run');
  const live = new LiveRun(run, 30_000);
  live.take(events.filter((event) => atOf(event) < untilMs));
  live.update();
  await tell(page, 'status', running);
  await tell(page, 'live', live.everything());
}

describe('the page of the console', () => {
  it('says the state as a status, and the seconds that are left not each time anew', async () => {
    const page = await visit();
    await tellRun(page, 4000);
    expect(await page.locator('#activity').textContent()).toMatch(/^partition · seed 1 · \w+, 2\d s left$/);
    expect(await page.getByRole('status').textContent()).not.toMatch(/left/);
    await page.evaluate(() => {
      const written: string[] = [];
      Object.assign(globalThis, { written });
      const look = new MutationObserver((all) => written.push(...all.map(({ type }) => type)));
      look.observe(document.querySelector('[role=status]') as Element, {
        subtree: true,
        childList: true,
        characterData: true,
      });
    });
    await tell(page, 'status', running);
    await tell(page, 'status', running);
    expect(await page.evaluate('written')).toEqual([]);
    await page.context().close();
  });

  it('adds to the log what is new, and leaves whoever has scrolled back where he reads', async () => {
    const page = await visit();
    const log = page.getByRole('log');
    const top = () => log.evaluate((element) => element.scrollTop);
    await tell(page, 'log', { all: true, lines: Array.from({ length: 100 }, (_, i) => `line ${i}`) });
    const end = await top();
    expect(end).toBeGreaterThan(500);
    await log.evaluate((element) => {
      const removed: string[] = [];
      Object.assign(globalThis, { removed });
      new MutationObserver((all) => {
        for (const { removedNodes } of all) removed.push(...[...removedNodes].map((node) => node.textContent ?? ''));
      }).observe(element, { childList: true });
    });
    await tell(page, 'log', { all: false, lines: ['one more'] });
    expect(await top()).toBeGreaterThan(end);
    await log.evaluate((element) => {
      element.scrollTop = 40;
    });
    await tell(page, 'log', { all: false, lines: ['and another'] });
    expect([await top(), (await log.textContent())?.endsWith('one more\nand another\n')]).toEqual([40, true]);
    expect(await page.evaluate('removed')).toEqual([]);
    await tell(page, 'log', { all: false, lines: Array.from({ length: 300 }, (_, i) => `late ${i}`) });
    expect((await log.textContent())?.split('\n').length).toBe(301);
    await page.context().close();
  });

  it('reads the charts at an instant by keyboard, too', async () => {
    const page = await visit();
    expect(await page.getByRole('slider').isVisible()).toBe(false);
    await tellRun(page, 4000);
    await page.getByRole('slider').focus();
    await page.keyboard.press('Home');
    for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
    const told = /^2\.[45]\d s · fault · p50 1 ms · p99 1 ms · control p99 1 ms · breakers open, open$/;
    await page.waitForFunction(
      (text) => new RegExp(text).test(document.querySelector('#readout')?.textContent ?? ''),
      told.source,
    );
    expect(await page.getByRole('slider').getAttribute('aria-valuetext')).toMatch(told);
    await page.context().close();
  });

  it('keeps no connection while nobody looks, since a browser has six of them', async () => {
    const page = await visit();
    const become = (hidden: boolean) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
        return sources.length;
      }, hidden);
    expect([await become(true), await become(false)]).toEqual([0, 1]);
    await page.context().close();
  });
});

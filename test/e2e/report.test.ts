// The report in a browser, as somebody opens it who was sent the file, and the command that makes it.

/// <reference lib="dom" />

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Browser, Page } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, screenshots, visit } from '../support/browser.ts';
import { eventsOf } from '../support/history-builder.ts';
import { run, temporaryDirectory } from '../support/lab-processes.ts';
import { builtRun, linesOf, runWith, specs } from '../support/runs.ts';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const temporary = temporaryDirectory();
const verdicts = ['pass', 'fail', 'unknown'] as const;
let browser: Browser;

const report = (args: readonly string[]) => run(['chaos/report/main.ts', ...args]);
const reportIn = (directory: string) => join(directory, 'report.html');

beforeAll(async () => {
  browser = await launch();
  const made = await report(verdicts.map((verdict) => builtRun(temporary.path, verdict, specs[verdict])));
  expect({ status: made.status, stderr: made.stderr }).toEqual({ status: 0, stderr: '' });
});
afterAll(async () => {
  await browser.close();
  temporary[Symbol.dispose]();
});

const open = (name: string, options = {}) => visit(browser, reportIn(join(temporary.path, name)), options);

/** Elements wider than the page that do not scroll by themselves, and words of a chart that overlap. */
function misplaced(page: Page) {
  return page.evaluate(() => {
    const overlapping: string[] = [];
    for (const words of document.querySelectorAll('.words')) {
      const boxes = [...words.querySelectorAll('text')]
        .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0);
      boxes.forEach((a, i) => {
        for (const b of boxes.slice(i + 1)) {
          const across = a.box.left < b.box.right && b.box.left < a.box.right;
          const down = a.box.top + 2 < b.box.bottom - 2 && b.box.top + 2 < a.box.bottom - 2;
          if (across && down) overlapping.push(`${a.text} and ${b.text}`);
        }
      });
    }
    return { isTooWide: document.documentElement.scrollWidth > innerWidth, overlapping };
  });
}

describe('the report', () => {
  it.each(verdicts)('of a %s is legible on screen and phone, in light and dark, and accessible', async (verdict) => {
    for (const width of [1280, 390]) {
      await using visited = await open(verdict, { viewport: { width, height: 844 }, bypassCSP: true });
      const { page } = visited;
      await page.addScriptTag({ path: axe });
      await page.locator('details').evaluateAll((all) => {
        for (const each of all) each.toggleAttribute('open', true);
      });
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        // Only colours differ from light to dark. Of what is no violation it keeps one example only, in half of the time.
        const only = colorScheme === 'light' ? {} : { runOnly: ['color-contrast', 'link-in-text-block'] };
        const options = JSON.stringify({ resultTypes: ['violations'], ...only });
        const { violations } = (await page.evaluate(`axe.run(${options})`)) as {
          violations: { id: string; nodes: { html: string }[] }[];
        };
        const serious = violations.map(({ id, nodes }) => [id, nodes[0]?.html]);
        const found = { ...(await misplaced(page)), serious };
        const legible = { isTooWide: false, overlapping: [], serious: [] };
        if (!isDeepStrictEqual(found, legible)) {
          const path = join(screenshots, `report-${verdict}-${width}-${colorScheme}.png`);
          await page.screenshot({ path, fullPage: true });
        }
        expect(found, `${width} ${colorScheme}`).toEqual(legible);
      }
    }
  });

  it('has its sections in the order in which they are read, fetches nothing and complains of nothing', async () => {
    await using visited = await open('fail');
    const { page, requests, complaints } = visited;
    expect(await page.locator('h1, h2, h3').allTextContents()).toEqual([
      expect.stringMatching(/^Availability failed: 24 requests/),
      'Checks',
      'Requests without a decision',
      'What happened, over time',
      'Latency as the client sees it',
      'Answers per second, by who decided',
      'Breaker of each instance',
      'Store errors: calls to Redis that failed, by reason',
      'Tokens admitted against the bound',
      'Answers that Redis did not give, by reason',
      'Events',
      'Environment',
      'See it again',
    ]);
    expect(await page.locator('.story dt').allTextContents()).toEqual([
      'What was broken',
      'What happened',
      'Did the promise hold?',
    ]);
    expect(await page.locator('.checks tbody').first().textContent()).toContain('availability');
    expect(await page.locator('pre').textContent()).toContain(
      'npm run scenario partition -- --driver native --seed 42',
    );
    expect({ requests, complaints }).toEqual({ requests: [], complaints: [] });
  });

  it('shows without scrolling what was broken, what happened and whether the promise held', async () => {
    for (const verdict of verdicts) {
      await using visited = await open(verdict, { viewport: { width: 390, height: 844 } });
      const box = await visited.page.locator('.story').boundingBox();
      expect((box?.y ?? 0) + (box?.height ?? 0), verdict).toBeLessThan(844);
    }
  });

  it('links one cursor through every chart, by pointer and by keyboard', async () => {
    await using visited = await open('pass');
    const { page } = visited;
    const cursors = () =>
      page
        .locator('.cursor')
        .evaluateAll((all) => all.map((c) => [c.getAttribute('visibility'), Number(c.getAttribute('x1'))]));
    expect(await cursors()).toEqual(Array(6).fill(['hidden', 0]));
    await page.locator('#answers .plot').hover({ position: { x: 400, y: 50 } });
    const moved = await cursors();
    const width = (await page.locator('#answers .plot').boundingBox())?.width ?? Number.NaN;
    expect(new Set(moved.map(([visibility, x]) => `${visibility} ${x}`)).size).toBe(1);
    expect(moved[0]?.[0]).toBe('visible');
    expect(Math.abs(Number(moved[0]?.[1]) - (1000 * 400) / width)).toBeLessThan(2);
    expect(await page.locator('output').textContent()).toMatch(
      /^4\.\d\d s · fault · p50 .* ms · p99 .* ms · control p99 1\.00 ms · 600 requests\/s · fallback 100 % · breakers open, open$/,
    );
    await page.getByRole('slider').focus();
    await page.keyboard.press('Home');
    expect(await page.getByRole('slider').getAttribute('aria-valuetext')).toMatch(/^0\.00 s · baseline · /);
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('output').textContent()).toMatch(/^0\.25 s · baseline · .* · breakers closed, closed$/);
  });

  it('keeps its tables behind the charts, reachable by keyboard', async () => {
    await using visited = await open('pass');
    const summary = visited.page.locator('#latency summary');
    await summary.focus();
    await visited.page.keyboard.press('Enter');
    const cells = await visited.page.locator('#latency tbody tr').first().locator('td').allTextContents();
    expect(cells.slice(0, 2)).toEqual(['0.0 s', '600']);
  });

  it('shows failed calls to Redis by reason, to the eye and in words, and says when a run does not tell of them', async () => {
    const shown = async (verdict: string) => {
      await using visited = await open(verdict);
      const figure = visited.page.locator('#store-errors');
      return {
        lead: await figure.locator('figcaption p').textContent(),
        alternative: await figure.locator('.plot').getAttribute('aria-label'),
        areas: await figure.locator('.shapes path.area').count(),
        legend: await figure.locator('.legend li').allTextContents(),
        rows: await figure.locator('tbody tr').count(),
      };
    };
    expect(await shown('pass')).toEqual({
      lead: expect.stringMatching(/^As the faulted instances count them/),
      alternative: 'In all: 11 timeout, 3 disconnected.', // none of the control's
      areas: 2,
      legend: ['timeout', 'disconnected', 'partition in place'],
      rows: 6,
    });
    const missing = expect.stringMatching(/^Missing: this run does not tell of failed calls/);
    expect(await shown('fail')).toEqual({
      lead: missing,
      alternative: missing,
      areas: 0,
      legend: ['partition in place'],
      rows: 0,
    });
  });

  it('prints in light colours and without what only a screen can do', async () => {
    await using visited = await open('pass', { colorScheme: 'dark' });
    const { page } = visited;
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect({ paper, isBarVisible: await page.locator('.cursor-bar').isVisible() }).toEqual({
      paper: 'rgb(255, 255, 255)',
      isBarVisible: false,
    });
    expect((await page.pdf()).subarray(0, 5).toString()).toBe('%PDF-');
  });

  it('is readable without its script', async () => {
    await using visited = await open('fail', { javaScriptEnabled: false });
    expect(await visited.page.locator('.plot').count()).toBe(6);
    expect(await visited.page.locator('.cursor-bar').isVisible()).toBe(false);
  });

  it('shows markup in a name as text', async () => {
    const nasty = '</script><img src=x onerror="document.title=1">';
    const events = eventsOf().map((event) =>
      event.type === 'run'
        ? { ...event, scenario: nasty, hypothesis: nasty }
        : event.type === 'answer'
          ? { ...event, key: nasty }
          : event,
    );
    await report([runWith(temporary.path, 'nasty', linesOf(events))]);
    await using visited = await open('nasty');
    const { page, requests, complaints } = visited;
    expect(await page.locator('.kicker b').textContent()).toBe(nasty);
    expect([await page.locator('img').count(), requests, complaints]).toEqual([0, [], []]);
    expect(await page.title()).toContain(` ${nasty}, seed 42`);
  });

  it('says what is missing of a run that was cut off', async () => {
    const text = linesOf(eventsOf({ complete: false }));
    await report([runWith(temporary.path, 'cut', text.slice(0, -9))]);
    await using visited = await open('cut');
    expect(await visited.page.locator('.gaps li').allTextContents()).toEqual([
      'The last line is incomplete.',
      'The run was cut off before its end: what came after is missing.',
    ]);
  });
});

describe('junit.xml', () => {
  it.each(verdicts)('of a %s has the structure that both usual schemas ask for', async (verdict) => {
    await using visited = await open(verdict);
    const text = readFileSync(join(temporary.path, verdict, 'junit.xml'), 'utf8');
    const structure = await visited.page.evaluate((xml) => {
      const root = new DOMParser().parseFromString(xml, 'application/xml').documentElement;
      const names = (element: Element) => element.getAttributeNames().sort();
      const suite = root.children[0] as Element;
      const cases = [...suite.querySelectorAll('testcase')];
      const number = (name: string) => Number(suite.getAttribute(name));
      return {
        root: [root.tagName, names(root), root.children.length],
        suite: [suite.tagName, names(suite)],
        order: [...suite.children].map(({ tagName }) => tagName).filter((tag, i, all) => tag !== all[i - 1]),
        cases: [...new Set(cases.map((each) => names(each).join()))],
        inside: [...new Set(cases.flatMap((each) => [...each.children].map((c) => `${c.tagName} ${names(c)}`)))].sort(),
        properties: [...new Set([...suite.querySelectorAll('property')].map((each) => names(each).join()))],
        isTimestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(suite.getAttribute('timestamp') ?? ''),
        counts: [number('tests'), ...['failures', 'errors', 'skipped'].map(number)],
        counted: [cases, ...['failure', 'error', 'skipped'].map((tag) => [...suite.querySelectorAll(tag)])].map(
          (all) => all.length,
        ),
      };
    }, text);
    const reasons = { pass: [], fail: ['failure message,type'], unknown: ['error message,type'] }[verdict];
    const inside = [...reasons, 'skipped '];
    expect(structure).toEqual({
      root: ['testsuites', [], 1],
      suite: [
        'testsuite',
        ['errors', 'failures', 'hostname', 'id', 'name', 'package', 'skipped', 'tests', 'time', 'timestamp'],
      ],
      order: ['properties', 'testcase', 'system-out', 'system-err'],
      cases: ['classname,name,time'],
      inside,
      properties: ['name,value'],
      isTimestamp: true,
      counts: structure.counted,
      counted: structure.counted,
    });
  });
});

describe('two runs compared', () => {
  it('stand side by side, what differs is marked, and one cursor goes through both', async () => {
    const made = await report(['--compare', join(temporary.path, 'fail'), join(temporary.path, 'pass')]);
    const path = join(temporary.path, 'compare-fail-pass.html');
    expect({ status: made.status, stderr: made.stderr, stdout: made.stdout }).toEqual({
      status: 0,
      stderr: '',
      stdout: `${path}\n`,
    });
    await using visited = await visit(browser, path);
    const { page, requests, complaints } = visited;
    const row = (text: string) => page.getByRole('row').filter({ hasText: text }).first();
    expect(await row('availability (all)').textContent()).toMatch(/^≠availability/);
    expect(await row('latency (heal)').textContent()).toMatch(/^latency/);
    expect(await page.locator('output').allTextContents()).toEqual(['Move over a chart, or use the arrow keys.', '']);
    await page.locator('#a-latency .plot').hover({ position: { x: 100, y: 50 } });
    expect(await page.locator('output').allTextContents()).toEqual([
      expect.stringMatching(/^A: /),
      expect.stringMatching(/^B: /),
    ]);
    expect([await misplaced(page), requests, complaints]).toEqual([{ isTooWide: false, overlapping: [] }, [], []]);
  });
});

describe('npm run report', () => {
  it('makes every file again from the events alone, the same each time', async () => {
    const directory = builtRun(temporary.path, 'again');
    await report([directory]);
    const files = () => readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]);
    const first = files();
    await report([join(directory, 'events.ndjson')]);
    expect(files()).toEqual(first);
    expect(first.map(([name]) => name)).toEqual([
      'events.ndjson',
      'journal.json',
      'junit.xml',
      'report.html',
      'summary.md',
    ]);
  });

  it.each([
    ['no run', [], /^Which run\?\n/],
    ['a run that does not exist', ['/nonexistent'], /^There is no run \/nonexistent\.\n/],
    ['one run to compare', ['--compare', 'a'], /^--compare takes two runs\.\n/],
    ['an unknown option', ['--bogus'], /^Unknown option '--bogus'/],
  ])('explains itself when given %s', async (_, args, message) => {
    const { status, stdout, stderr } = await report(args);
    expect({ status, stdout, stderr }).toEqual({ status: 254, stdout: '', stderr: expect.stringMatching(message) });
  });

  it('says in a line why it cannot read or write', async () => {
    const foreign = await report([runWith(temporary.path, 'foreign', '{"a":1}\n')]);
    expect([foreign.status, foreign.stderr]).toEqual([
      255,
      expect.stringMatching(/holds nothing that a run records\n$/),
    ]);
    const directory = builtRun(temporary.path, 'blocked');
    mkdirSync(reportIn(directory));
    const blocked = await report([directory]);
    expect([blocked.status, blocked.stderr]).toEqual([255, expect.stringMatching(/^EISDIR[^\n]*\n$/)]);
    expect(existsSync(join(directory, 'journal.json'))).toBe(true);
  });
});

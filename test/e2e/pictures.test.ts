// The pictures of an incident in grafana/README.md: from a run that passed, of the dashboards as they are now, and legible.

/// <reference lib="dom" />

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from '@playwright/test';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawingOf } from '../../grafana/drawing.ts';
import { expressionFor, type Incident, type PanelData, picturedPanels, targetsOf } from '../../grafana/incident.ts';
import { committedIncident, pictureDirectory, picturesOf } from '../../grafana/pictures.ts';
import { launch, screenshots, visit } from '../support/browser.ts';
import { projectDirectory } from '../support/lab-processes.ts';

const incident = committedIncident();
const pictures = [...picturesOf(incident).keys()];

/** Values of one line of a panel between two instants in seconds since the fault. */
const valuesOf = (title: string, line: string, fromS: number, toS: number): number[] =>
  incident.panels
    .filter((panel) => panel.title === title)
    .flatMap(({ queries }) => queries.flatMap(({ lines }) => lines.filter(({ name }) => name === line)))
    .flatMap(({ points }) => points.flatMap(([s, value]) => (s >= fromS && s <= toS && value !== null ? [value] : [])));

describe('the pictures of an incident', () => {
  it('are of a run that passed, and of the dashboards’ expressions as they are now', () => {
    expect([incident.scenario, incident.verdict]).toEqual(['partition', 'pass']);
    expect(incident.panels.map(({ title, queries }) => [title, ...queries.map(({ expr }) => expr)])).toEqual(
      picturedPanels.map((panel) => [panel.title, ...targetsOf(panel).map(({ expr }) => expressionFor(expr))]),
    );
  });

  it('are what npm run pictures draws of its figures', () => {
    for (const [path, text] of picturesOf(incident)) {
      expect(readFileSync(join(pictureDirectory, path), 'utf8'), path).toBe(text);
    }
  });

  it('are shown by grafana/README.md, to light and to dark', () => {
    const page = readFileSync(join(projectDirectory, 'grafana', 'README.md'), 'utf8');
    for (const path of pictures) expect(page).toContain(`"pictures/${path}"`);
  });

  it('show what grafana/README.md says of them', () => {
    const { faultS } = incident;
    const settledS = 6; // rates are over 4 s, scrapes 1 s apart
    expect(Math.max(...valuesOf('Latency, faulted arm', 'p99', incident.fromS, incident.toS))).toBeLessThan(0.009);
    expect(Math.max(...valuesOf('Decisions by mechanism', 'redis', settledS, faultS))).toBe(0);
    expect(Math.min(...valuesOf('Decisions by mechanism', 'fallback', settledS, faultS))).toBeGreaterThan(900);
    for (const instance of ['limiter-1', 'limiter-2']) {
      expect(new Set(valuesOf('Breaker', instance, incident.fromS, -0.5))).toEqual(new Set([0]));
      expect(valuesOf('Breaker', instance, 2, faultS)).not.toContain(0);
    }
    expect(Math.max(...valuesOf('Failed calls to Redis', 'timeout', 0, settledS))).toBeGreaterThan(1);
    expect(Math.max(...valuesOf('Failed calls to Redis', 'timeout', settledS + 1, faultS))).toBe(0);
    expect(new Set(valuesOf('Alerts firing', 'firing', settledS, faultS))).toEqual(new Set([1]));
    expect(valuesOf('Alerts firing', 'firing', incident.fromS, -0.5)).not.toContain(1);
    expect(valuesOf('Alerts firing', 'firing', incident.toS - 2, incident.toS)).not.toContain(1);
    const admitted = valuesOf('Most popular key: admitted, and the bound', 'admitted', incident.fromS, incident.toS);
    const bound = valuesOf('Most popular key: admitted, and the bound', 'bound', incident.fromS, incident.toS);
    expect(admitted.filter((tokens, i) => tokens > (bound[i] ?? 0))).toEqual([]);
  });
});

describe('a picture in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  // A reader's font is not ours: Verdana is a sixth wider than Arial, at 12 px about 1 px a letter.
  it.each(pictures.flatMap((path) => [0, 1].map((spacingPx) => [path, spacingPx] as const)))(
    '%s is as wide as a page, and no word lies on another or outside, its letters %i px apart',
    async (path, spacingPx) => {
      await using visited = await visit(browser, join(pictureDirectory, path), {
        viewport: { width: 860, height: 860 },
      });
      const { page, requests, complaints } = visited;
      if (spacingPx === 0) await page.screenshot({ path: join(screenshots, path.replace('.svg', '.png')) });
      const found = await page.evaluate((spacing) => {
        for (const text of document.querySelectorAll('text')) text.style.letterSpacing = `${spacing}px`;
        const root = document.documentElement.getBoundingClientRect();
        const words = [...document.querySelectorAll('text')].map((element) => ({
          word: element.textContent,
          sizePx: Number.parseFloat(getComputedStyle(element).fontSize),
          box: element.getBoundingClientRect(),
        }));
        const outside = words.filter(({ box }) => box.left < root.left || box.right > root.right);
        const overlapping = words.flatMap((a, i) =>
          words
            .slice(i + 1)
            .filter(
              (b) =>
                a.box.left < b.box.right &&
                b.box.left < a.box.right &&
                a.box.top + 2 < b.box.bottom - 2 &&
                b.box.top + 2 < a.box.bottom - 2,
            )
            .map((b) => `${a.word} and ${b.word}`),
        );
        const sizePxMin = Math.min(...words.map(({ sizePx }) => sizePx));
        return {
          width: root.width,
          words: words.length,
          outside: outside.map(({ word }) => word),
          overlapping,
          sizePxMin,
        };
      }, spacingPx);
      expect({ ...found, requests, complaints }).toEqual({
        width: 800,
        words: expect.any(Number),
        outside: [],
        overlapping: [],
        sizePxMin: 12,
        requests: [],
        complaints: [],
      });
      expect(found.words).toBeGreaterThan(25);
    },
  );
});

describe('a drawing', () => {
  const drawn = (panels: readonly PanelData[]): string => {
    const some: Incident = { scenario: 'a<b', seed: 1, verdict: 'pass', fromS: -10, toS: 10, faultS: 5, panels };
    return drawingOf(some, 'light');
  };
  const panel = (title: string, name: string, points: PanelData['queries'][0]['lines'][0]['points']): PanelData => ({
    title,
    queries: [{ expr: '', lines: [{ name, points }] }],
  });

  it('breaks a line where there is no value, and leaves out a line of zeros', () => {
    const points = [0.001, null, 0.002, 0.003].map((value, i) => [i, value] as const);
    expect(drawn([panel('Latency, faulted arm', 'p99', points)])).toMatch(/d="M[\d. ]+M[\d. ]+L[\d. ]+" fill="none"/);
    const zeros = [0, 1, 2].map((s) => [s, 0] as const);
    expect(drawn([panel('Failed calls to Redis', 'oom', zeros)])).not.toContain('oom');
  });

  it('draws one band for as long as a state lasts, in its colour and with its name', () => {
    const states = [0, 0, 2, 2, 1, 0].map((value, i) => [i, value] as const);
    const svg = drawn([panel('Breaker', 'limiter-1', states)]);
    const bands = [...svg.matchAll(/<rect [^>]*height="16" fill="(#\w+)"/g)].map(([, colour]) => colour);
    expect(bands).toEqual(['#7fc59a', '#b3261e', '#d98a3d', '#7fc59a']);
    for (const state of ['closed', 'open', 'half-open']) expect(svg).toContain(`>${state}</text>`);
  });

  it('escapes what it shows, and knows no panel that the dashboards do not have', () => {
    expect(drawn([])).toContain('a&lt;b: in place for 5 s');
    expect(() => drawn([panel('Nothing', 'x', [])])).toThrow('there is no panel "Nothing"');
  });
});

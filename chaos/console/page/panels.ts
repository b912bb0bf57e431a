// The page's parts in words: what is to be run, the switchboard, what came of it, and what ran before.

import { figure, seconds } from '../../report/figures.ts';
import { sharedStoreName } from '../../scenario.ts';
import type { FaultKind, LabFacts, PastRun, Status, Switch } from '../messages.ts';
import { find, make, post } from './dom.ts';
import { type ShownRun, worstOf } from './shown-run.ts';

export function showAlert(text: string | undefined): void {
  const paragraph = find('trouble', HTMLParagraphElement);
  paragraph.hidden = text === undefined;
  paragraph.textContent = text ?? '';
}

export function showFacts({ scenarios, drivers, limits }: LabFacts): void {
  const families = Map.groupBy(scenarios, ({ family }) => family);
  const chosen = document.querySelector<HTMLInputElement>('input[name=scenario]:checked')?.value;
  const groups = [...families].map(([family, members]) =>
    make(
      'fieldset',
      {},
      make('legend', {}, family),
      ...members.map(({ name, hypothesis }) => {
        const radio = make('input', { type: 'radio', name: 'scenario', value: name, required: '' });
        radio.checked = name === (chosen ?? 'partition');
        return make('label', { class: 'scenario' }, radio, make('span', {}, make('b', {}, name), ' ', hypothesis));
      }),
    ),
  );
  const list = find('scenarios', HTMLDivElement);
  list.replaceChildren(...groups);
  const label = list.querySelector<HTMLElement>('.scenario:has(:checked)');
  list.scrollTop = Math.max(0, (label?.offsetTop ?? 0) - list.clientHeight / 2);
  const driver = find('driver', HTMLSelectElement);
  if (driver.options.length === 0) driver.append(...drivers.map((name) => make('option', {}, name)));
  find('rate', HTMLInputElement).max = String(limits.rateMax);
  find('seconds', HTMLInputElement).max = String(limits.faultSecondsMax);
}

/** Wires the forms up; `seedMax` bounds a seed by chance. */
export function listen(seedMax: () => number): void {
  const request = () => {
    const seed = find('seed', HTMLInputElement).value.trim();
    return {
      scenario: document.querySelector<HTMLInputElement>('input[name=scenario]:checked')?.value,
      driver: find('driver', HTMLSelectElement).value,
      seed: seed === '' ? Math.floor(Math.random() * Math.min(seedMax(), 1_000_000)) : numberOrText(seed),
      rate: numberOrText(find('rate', HTMLInputElement).value),
    };
  };
  find('experiment', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault();
    showAlert(await post('/run', request()));
  });
  find('by-hand', HTMLButtonElement).addEventListener('click', async () => {
    showAlert(await post('/manual', request()));
  });
  find('stop', HTMLButtonElement).addEventListener('click', async () => showAlert(await post('/stop', {})));
}

export function showStatus({ activity, last, switches }: Status, run: ShownRun | undefined): void {
  const isIdle = activity.state === 'idle';
  for (const id of ['run', 'by-hand']) find(id, HTMLButtonElement).disabled = !isIdle;
  const stop = find('stop', HTMLButtonElement);
  stop.hidden = isIdle;
  stop.disabled = activity.state === 'stopping';
  find('activity', HTMLParagraphElement).className = activity.state;
  const isRunning = activity.state === 'running' && run !== undefined;
  const doing = isRunning ? run.phase : activity.state;
  say('state', isIdle ? 'idle' : `${activity.scenario} · seed ${activity.seed} · ${doing}`);
  say('left', isRunning && run.phase !== 'end' ? `, ${secondsLeft(run)} s left` : '');
  const outcome = find('outcome', HTMLElement);
  outcome.hidden = last === null;
  if (last) {
    outcome.className = `hero ${last.verdict}`;
    outcome.replaceChildren(
      make('p', {}, badge(last.verdict), ` ${last.scenario}, seed ${last.seed}`),
      make('p', { class: 'sentence' }, last.sentence),
      ...(last.report ? [reportLink(last.report, 'Open the report')] : []),
    );
  }
  const board = find('board', HTMLElement);
  board.hidden = switches.length === 0;
  showSwitches(switches, activity.state === 'stopping' || activity.state === 'judging');
}

/** What the charts are of; where there are none, why. */
export function showHeading({ activity, last }: Status, run: ShownRun | undefined): void {
  const [title, text] = run
    ? [`${run.run.scenario}, seed ${run.run.seed}`, run.run.hypothesis]
    : activity.state === 'starting'
      ? ['Starting', 'Redis, Toxiproxy, Prometheus and the limiters are being started.']
      : activity.state !== 'idle'
        ? ['Nothing to show', 'What was started is being ended.']
        : last
          ? ['Nothing to show', `${last.scenario} ended before its first request.`]
          : ['Nothing has run yet', 'Choose an experiment, or start load by hand.'];
  find('lanes-title', HTMLHeadingElement).textContent = title;
  find('hypothesis', HTMLParagraphElement).textContent = text;
}

/** Writes only what is new: a screen reader says each writing of a status anew. */
function say(id: string, text: string): void {
  const span = find(id, HTMLSpanElement);
  if (span.textContent !== text) span.textContent = text;
}

function secondsLeft(run: ShownRun): number {
  return Math.max(0, Math.round((run.plannedMs - run.atMs) / 1000));
}

/** Buttons stay the same elements, so that the focus stays where it is. */
function showSwitches(switches: readonly Switch[], isAtEnd: boolean): void {
  const into = find('switches', HTMLDivElement);
  const shape = switches.map(({ link, faults }) => `${link} ${faults}`).join();
  if (into.dataset.shape !== shape) {
    into.dataset.shape = shape;
    into.replaceChildren(...switches.map(switchRow));
  }
  for (const { link, on, busy } of switches) {
    const row = into.querySelector(`[data-link="${CSS.escape(link)}"]`);
    const left = on ? Math.max(0, Math.ceil((on.untilEpochMs - Date.now()) / 1000)) : 0;
    const state = row?.querySelector('.state');
    if (state) state.textContent = `${on ? `${on.fault}, heals in ${left} s` : 'healthy'}${busy ? ' …' : ''}`;
    row?.classList.toggle('on', on !== null);
    for (const button of row?.querySelectorAll('button') ?? []) {
      button.disabled = isAtEnd;
      button.setAttribute('aria-pressed', String((button.dataset.fault ?? '') === (on?.fault ?? '')));
    }
  }
}

function switchRow({ link, faults }: Switch): HTMLElement {
  const button = (fault: FaultKind | null) => {
    const made = make('button', { type: 'button', 'data-fault': fault ?? '' }, fault ?? 'healthy');
    made.addEventListener('click', async () => {
      const seconds = numberOrText(find('seconds', HTMLInputElement).value);
      showAlert(await post('/switch', { link, fault, seconds }));
    });
    return made;
  };
  const name = link === sharedStoreName ? link : `${link} → ${sharedStoreName}`;
  const buttons = make(
    'span',
    { class: 'segments', role: 'group', 'aria-label': name },
    ...[null, ...faults].map(button),
  );
  return make(
    'div',
    { class: 'switch', 'data-link': link },
    make('b', {}, name),
    buttons,
    make('span', { class: 'state' }),
  );
}

export function showFigures(run: ShownRun): void {
  const recent = run.bins.slice(-6, -2);
  const total = recent.reduce((sum, { requests }) => sum + requests, 0);
  const fallback = recent.reduce(
    (sum, { outcomes }) => sum + outcomes['fallback allowed'] + outcomes['fallback refused'],
    0,
  );
  const p99 = worstOf(recent, 'p99');
  const tile = (name: string, value: string, mark = '') =>
    make('div', { class: `tile ${mark}` }, make('dt', {}, name), make('dd', {}, value));
  find('figures', HTMLElement).replaceChildren(
    tile('requests/s', figure(recent.length === 0 ? null : (4 * total) / recent.length)),
    tile('p99', `${figure(p99)} ms`, p99 !== null && p99 >= run.run.bounds.p99Ms ? 'bad' : ''),
    tile('control p99', `${figure(worstOf(recent, 'controlP99'))} ms`),
    tile('by fallback', total === 0 ? '–' : `${Math.round((100 * fallback) / total)} %`),
    ...run.breakers.map(({ instance, reportsBreaker, spans }) => {
      const state = reportsBreaker ? (spans.at(-1)?.state ?? 'closed') : 'unreported';
      return tile(instance.replace('limiter-', 'breaker '), state, `state-${state}`);
    }),
    tile('fault', run.inPlace.join('; ') || 'none', `wide ${run.inPlace.length > 0 ? 'warn' : ''}`),
  );
}

/** The lanes at an instant, in words. */
export function readoutAt(run: ShownRun, ms: number): string {
  const bin = run.bins.findLast(({ startMs }) => startMs <= ms);
  const stretch = run.timeline.stretches.findLast(({ startMs }) => startMs <= ms)?.name ?? '';
  const parts = [`${seconds(ms, 2)}`, stretch];
  if (bin)
    parts.push(`p50 ${figure(bin.p50)} ms`, `p99 ${figure(bin.p99)} ms`, `control p99 ${figure(bin.controlP99)} ms`);
  const states = run.breakers
    .filter(({ control }) => !control)
    .map(({ spans }) => spans.findLast(({ startMs }) => startMs <= ms)?.state);
  return [...parts, `breakers ${states.join(', ')}`].join(' · ');
}

export function showRuns(runs: readonly PastRun[]): void {
  find('runs', HTMLUListElement).replaceChildren(
    ...runs.map(({ name, scenario, seed, startedAt, verdict, report }) => {
      const when = startedAt.slice(0, 16).replace('T', ' ');
      const title = report ? reportLink(report, `${scenario} ${seed}`) : make('span', {}, `${scenario} ${seed}`);
      return make('li', { title: name }, badge(verdict), title, make('span', { class: 'muted' }, when));
    }),
  );
}

function badge(verdict: string): HTMLElement {
  return make('span', { class: `badge ${verdict}` }, verdict);
}

function reportLink(path: string, text: string): HTMLAnchorElement {
  return make('a', { href: path, target: '_blank', rel: 'noopener' }, text);
}

/** What is no number goes to the server as it is, which says what is allowed. */
function numberOrText(text: string): number | string {
  return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
}

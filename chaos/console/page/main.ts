// The console's page: shows what the server tells, and asks it for changes.

import type { Feed, LiveUpdate, Status } from '../messages.ts';
import { Charts } from './charts.ts';
import { find } from './dom.ts';
import { listen, readoutAt, showAlert, showFacts, showFigures, showHeading, showRuns, showStatus } from './panels.ts';
import { ShownRun } from './shown-run.ts';

const logLinesMax = 300;

history.replaceState(null, '', '/'); // the token stays out of the address, and of what is copied from it
let run: ShownRun | undefined;
let status: Status | undefined;
let seedMax = 0;
const instant = find('instant', HTMLInputElement);
const charts = new Charts(find('charts', HTMLDivElement), (ms) => {
  if (!run || ms === undefined) return;
  const text = readoutAt(run, ms);
  find('readout', HTMLParagraphElement).textContent = text;
  instant.value = String(ms);
  instant.setAttribute('aria-valuetext', text);
});
instant.addEventListener('input', () => charts.pointAt(Number(instant.value)));

function showLive(update: LiveUpdate | null): void {
  if (update?.run) {
    run = new ShownRun(update.run, update.plannedMs ?? 0);
    run.take(update);
    charts.show(run);
  } else if (update && run) {
    run.take(update);
    charts.update();
  } else if (update === null && run) {
    run = undefined;
    find('figures', HTMLElement).replaceChildren();
    charts.show(run);
  }
  if (run) showFigures(run);
  find('instant-label', HTMLLabelElement).hidden = run === undefined;
  if (run) Object.assign(instant, { min: String(run.shown.fromMs), max: String(run.atMs) });
  if (status) show(status);
}

function show(newest: Status): void {
  status = newest;
  showStatus(newest, run);
  showHeading(newest, run);
}

/** Only what is new is added, for that is what a screen reader says; whoever has scrolled back is left where he reads. */
function showLog({ all, lines }: Feed['log']): void {
  const log = find('log', HTMLPreElement);
  const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  if (all) log.replaceChildren();
  log.append(...lines.map((line) => `${line}\n`));
  for (let more = log.childNodes.length - logLinesMax; more > 0; more--) log.firstChild?.remove();
  if (all || isAtEnd) log.scrollTop = log.scrollHeight;
}

function listenToServer(): EventSource {
  const source = new EventSource('/events');
  function on<K extends keyof Feed>(name: K, show: (data: Feed[K]) => void): void {
    source.addEventListener(name, (event) => show(JSON.parse(event.data)));
  }
  on('facts', (facts) => {
    seedMax = facts.limits.seedMax;
    showFacts(facts);
  });
  on('status', show);
  on('live', showLive);
  on('log', showLog);
  on('runs', showRuns);
  source.addEventListener('open', () => showAlert(undefined));
  source.addEventListener('error', () => {
    // A browser does not try again where it was refused: another console has another token.
    const isRefused = source.readyState === EventSource.CLOSED;
    showAlert(
      isRefused
        ? 'Another console answers here. Open the address that it printed.'
        : 'The console does not answer; trying again.',
    );
  });
  return source;
}

// A browser has six connections to a server, and this one stays open: six pages that nobody looks at would leave none for
// the button that stops a run.
let source = listenToServer();
document.addEventListener('visibilitychange', () => {
  source.close();
  if (!document.hidden) source = listenToServer();
});
setInterval(() => status && status.switches.length > 0 && showStatus(status, run), 500);
listen(() => seedMax);
find('log', HTMLPreElement).tabIndex = 0; // it scrolls, so the keyboard must reach it

// The cursor: one instant in every chart at once, moved by pointer, finger or arrow keys, with its figures in words.
(() => {
  const runs = [...document.querySelectorAll('.lanes')].map((lanes) => ({
    ...JSON.parse(lanes.querySelector('script').textContent),
    plots: [...lanes.querySelectorAll('.plot')],
    cursors: [...lanes.querySelectorAll('.cursor')],
  }));
  const bar = document.querySelector('.cursor-bar');
  const slider = bar?.querySelector('input');
  const readouts = [...(bar?.querySelectorAll('output') ?? [])];
  if (!slider || runs.length === 0) return;
  slider.max = String(Math.max(...runs.map(({ endMs }) => endMs)));
  bar.hidden = false;

  /** The last entry that begins by then; entries begin with their time. */
  const at = (entries, ms) => entries.findLast(([startMs]) => startMs <= ms) ?? entries[0];
  const msText = (value) => (value === null ? 'no answer' : `${value.toFixed(value < 10 ? 2 : 1)} ms`);

  function words({ bins, binMs, stretches, breakers }, ms) {
    const [startMs, requests, p50, p99, controlP99, fallback, failed] = at(bins, ms) ?? [];
    const parts = [`${(ms / 1000).toFixed(2)} s`, at(stretches, ms)?.[1]];
    if (startMs === undefined || ms - startMs > binMs) parts.push('no requests');
    else {
      parts.push(`p50 ${msText(p50)}`, `p99 ${msText(p99)}`);
      if (controlP99 !== null) parts.push(`control p99 ${msText(controlP99)}`);
      parts.push(
        `${Math.round((requests * 1000) / binMs)} requests/s`,
        `fallback ${Math.round((100 * fallback) / requests)} %`,
      );
      if (failed > 0) parts.push(`${failed} failed`);
    }
    const states = breakers.map((spans) => at(spans, ms)?.[1]);
    if (states.length > 0) parts.push(`breakers ${states.join(', ')}`);
    return parts.filter(Boolean).join(' · ');
  }

  function show(ms) {
    const texts = runs.map((run, i) => {
      const text = words(run, Math.min(ms, run.endMs));
      for (const cursor of run.cursors) {
        const x = String((1000 * Math.min(ms, run.endMs)) / run.endMs);
        cursor.setAttribute('x1', x);
        cursor.setAttribute('x2', x);
        cursor.setAttribute('visibility', 'visible');
      }
      if (readouts[i]) readouts[i].textContent = runs.length > 1 ? `${readouts[i].dataset.name}: ${text}` : text;
      return text;
    });
    slider.setAttribute('aria-valuetext', texts.join('; '));
  }

  slider.addEventListener('input', () => show(Number(slider.value)));
  for (const { plots, endMs } of runs) {
    for (const plot of plots) {
      const follow = ({ clientX }) => {
        const { left, width } = plot.getBoundingClientRect();
        const ms = Math.min(1, Math.max(0, (clientX - left) / width)) * endMs;
        slider.value = String(ms);
        show(ms);
      };
      plot.addEventListener('pointermove', follow);
      plot.addEventListener('pointerdown', follow);
    }
  }
})();

// How figures are written for people: the same everywhere.

/** Four digits at most, an en dash for none. */
export function figure(value: number | null): string {
  if (value === null || Number.isNaN(value)) return '–';
  if (value < 0) return `−${figure(-value)}`;
  if (!Number.isFinite(value)) return '∞';
  if (Number.isInteger(value)) return grouped(value);
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return digits === 0 ? grouped(Math.round(value)) : value.toFixed(digits);
}

/** With so many digits behind the point, in columns. */
export function fixed(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : value < 0 ? '-∞' : '∞';
}

export function grouped(value: number): string {
  return value.toLocaleString('en');
}

/** Milliseconds as seconds: `12.250 s`. */
export function seconds(ms: number, digits = 3): string {
  return `${(ms / 1000).toFixed(digits)} s`;
}

/** A duration, in the unit that suits it. */
export function duration(ms: number): string {
  return Math.abs(ms) < 1000 ? `${figure(ms)} ms` : seconds(ms, 2);
}

/** `1 request`, `2 requests`. */
export function counted(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? '' : 's'}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(parts: readonly string[]): string {
  return parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}` : parts.join('');
}

/** The same text, in which no line ends between a figure and its unit. */
export function unbroken(text: string): string {
  return text.replace(/([\d–≤≥]) (?=(?:[\d.,]+|ms|s|%|±)(?:[^\w]|$))/g, '$1\u00a0');
}

/** Of a whole in per cent; null of nothing. */
export function share(part: number, whole: number): number | null {
  return whole === 0 ? null : (100 * part) / whole;
}

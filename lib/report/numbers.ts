import type { Unit } from '../config/quantity.ts';

/** How the numbers of one metric are written beside each other: the same places after the point, or all with an exponent. */
export type Precision =
  | { readonly kind: 'fixed'; readonly decimals: number }
  | { readonly kind: 'exponent'; readonly decimals: number }
  /** What the run took: 1:08 and 1.5 GB. `decimals`: beyond those that are usual. */
  | { readonly kind: Unit; readonly decimals: number };

const significant = 4;

/**
 * Four significant digits of the largest, without zeros that all of them end in; more where two numbers of `apart` differ and
 * would be written the same: a bound that is not met must never look met.
 */
export function precisionFor(
  values: readonly number[],
  apart: readonly (readonly [number, number])[] = [],
  unit?: Unit,
): Precision {
  if (unit !== undefined) return unitPrecision(unit, apart);
  const finite = values.filter(Number.isFinite);
  const largest = Math.max(0, ...finite.map(Math.abs));
  const exponent = largest !== 0 && (largest >= 1e9 || largest < 1e-4);
  const most = exponent ? 15 : 12;
  const start = exponent
    ? significant - 1
    : finite.every(Number.isInteger)
      ? 0
      : Math.max(0, significant - 1 - Math.floor(Math.log10(largest || 1)));
  const at = (decimals: number): Precision => ({ kind: exponent ? 'exponent' : 'fixed', decimals });
  let decimals = Math.min(most, start);
  const padded = (text: string) => /^[^.]+\.\d*0(?:e|$)/.test(text);
  while (decimals > 0 && finite.every((value) => padded(formatMetric(value, at(decimals))))) decimals -= 1;
  const alike = () =>
    apart.some(([a, b]) => a !== b && formatMetric(a, at(decimals)) === formatMetric(b, at(decimals)));
  while (decimals < most && alike()) decimals += 1;
  return at(decimals);
}

function unitPrecision(unit: Unit, apart: readonly (readonly [number, number])[]): Precision {
  let decimals = 0;
  const alike = () =>
    apart.some(([a, b]) => a !== b && formatUnit(unit, a, decimals) === formatUnit(unit, b, decimals));
  while (decimals < 9 && alike()) decimals += 1;
  return { kind: unit, decimals };
}

const formatUnit = (unit: Unit, value: number, decimals: number): string =>
  unit === 'seconds' ? formatDuration(value) : formatBytes(value, decimals);

export function formatMetric(value: number, precision: Precision = precisionFor([value])): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  const { kind, decimals } = precision;
  if (kind === 'seconds' || kind === 'bytes')
    return `${value < 0 ? '−' : ''}${formatUnit(kind, Math.abs(value), decimals)}`;
  const text =
    kind === 'exponent'
      ? value.toExponential(decimals)
      : Math.abs(value) < 1e21
        ? value.toFixed(decimals)
        : String(value);
  return text.replace(/^-(?=[0.]*$)/, '').replace(/^-/, '−');
}

/** With its sign; never a zero where there is a difference. */
export function formatChange(change: number, precision: Precision = precisionFor([change])): string {
  if (change === 0 || !Number.isFinite(change)) return change === 0 ? '0' : '';
  let text = formatMetric(Math.abs(change), precision);
  if (precision.kind !== 'seconds' && precision.kind !== 'bytes' && /^[0.]+$/.test(text))
    text = formatMetric(Number(Math.abs(change).toPrecision(1)));
  return `${change > 0 ? '+' : '−'}${text}`;
}

/** As it is written in the config: 0.25 stays 0.25. Of what the run took, as its values are. */
export const formatBound = (value: number, unit?: Unit): string =>
  unit === undefined ? String(value).replace('-', '−') : formatMetric(value, { kind: unit, decimals: 0 });

/** 0:42, 1:08, 1:02:03. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const end = String(whole % 60).padStart(2, '0');
  return hours === 0 ? `${minutes}:${end}` : `${hours}:${String(minutes).padStart(2, '0')}:${end}`;
}

/** 0 B, 512 B, 3 KB, 1.5 GB: powers of 1,024 under the names that people and Slurm use for them. `more`: decimals beyond the usual. */
export function formatBytes(bytes: number, more = 0): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let value = Math.max(0, bytes);
  let unit = 0;
  while (unit < units.length - 1 && (unit === 0 ? value >= 1024 : Number(value.toPrecision(4)) >= 1000)) {
    value /= 1024;
    unit += 1;
  }
  const digits = (unit === 0 || value >= 10 ? 0 : 1) + (unit === 0 ? 0 : more);
  return `${value.toFixed(digits).replace(/\.0+$/, '')} ${units[unit]}`;
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

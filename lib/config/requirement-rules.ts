import { has, isMap, type Loose, listOr, mapOr } from './loose.ts';
import { nearest } from './nearest.ts';
import type { Reporter } from './reporter.ts';

/** A requirement that could never be met, or never fail, is a mistake. */
export function checkRequirements(value: Loose, report: Reporter): void {
  const known = knownMetrics(value);
  for (const [metric, bounds] of Object.entries(mapOr(value.require))) {
    if (known !== undefined && !known.includes(metric)) {
      const near = nearest(metric, known);
      const defined =
        known.length === 0 ? 'no step defines `metrics`' : `defined: ${known.map((name) => `\`${name}\``).join(', ')}`;
      report.error(
        'wrong-value',
        ['require', metric],
        'key',
        `no step defines a metric \`${metric}\``,
        near === undefined ? defined : `did you mean \`${near}\`?`,
      );
    }
    if (isMap(bounds)) checkBounds(metric, bounds, report);
  }
}

const boundKeys = ['min', 'max', 'baseline', 'max_drop', 'max_rise', 'without_baseline', 'undecided'];

function checkBounds(metric: string, bounds: Loose, report: Reporter): void {
  const at = ['require', metric];
  const { min, max } = bounds;
  const relative = has(bounds, 'max_drop') || has(bounds, 'max_rise');
  if (typeof min === 'number' && typeof max === 'number' && min > max)
    report.error('conflict', [...at, 'max'], 'value', `\`${metric}\` can never be at least ${min} and at most ${max}`);
  if (has(bounds, 'baseline') && !relative)
    report.error(
      'missing-key',
      [...at, 'baseline'],
      'key',
      `\`baseline\` of \`${metric}\` is compared with nothing`,
      'add `max_drop` or `max_rise`',
    );
  for (const key of ['max_drop', 'max_rise'])
    if (has(bounds, key) && !has(bounds, 'baseline'))
      report.error(
        'missing-key',
        [...at, key],
        'key',
        `\`${key}\` of \`${metric}\` needs a \`baseline\``,
        '`baseline: main` compares with the branch main',
      );
  const absolute = has(bounds, 'min') || has(bounds, 'max');
  if (has(bounds, 'without_baseline') && !has(bounds, 'baseline') && !relative && absolute)
    report.error('conflict', [...at, 'without_baseline'], 'key', '`without_baseline` needs a `baseline`');
  // An unknown key may be the bound that was meant: it has been named.
  const foreign = Object.keys(bounds).some((key) => !boundKeys.includes(key));
  const none = !has(bounds, 'min') && !has(bounds, 'max') && !has(bounds, 'baseline') && !relative;
  if (none && !foreign)
    report.error(
      'missing-key',
      at,
      'key',
      `the requirement of \`${metric}\` has no bound`,
      'add `min`, `max`, or `baseline` with `max_drop` or `max_rise`',
    );
}

/** The names that steps define; undefined where a file, or what a notebook glues, may bring others. */
function knownMetrics(value: Loose): readonly string[] | undefined {
  const names: string[] = [];
  for (const step of listOr(value.steps)) {
    const { metrics: written } = mapOr(step);
    const metrics = mapOr(written);
    if (written === 'scrapbook' || has(metrics, 'file')) return undefined;
    names.push(...Object.keys(metrics));
  }
  return names;
}

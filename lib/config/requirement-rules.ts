import { has, isMap, type Loose, listOr, mapOr } from './loose.ts';
import type { Path } from './path.ts';
import { checkQuantity } from './quantity-rules.ts';
import type { Reporter } from './reporter.ts';
import { requirementKeys } from './schema.ts';
import type { Margin } from './types.ts';
import { parseMargin } from './units.ts';

/** A requirement that could never be met, or never fail, is a mistake. */
export function checkRequirements(value: Loose, report: Reporter): void {
  const known = knownMetrics(value);
  for (const [metric, bounds] of Object.entries(mapOr(value.require))) {
    checkQuantity(metric, known, report);
    if (isMap(bounds)) checkBounds(metric, bounds, report);
  }
}

function checkBounds(metric: string, bounds: Loose, report: Reporter): void {
  const at = ['require', metric];
  const [warn, goal] = [mapOr(bounds.warn), mapOr(bounds.goal)];
  const relative = [bounds, warn].some((limits) => has(limits, 'max_drop') || has(limits, 'max_rise'));
  checkSides(metric, bounds, at, report);
  checkSides(metric, warn, [...at, 'warn'], report);
  checkSides(metric, goal, [...at, 'goal'], report);
  checkWarn(metric, bounds, warn, report);
  checkGoal(metric, bounds, goal, report);
  if (has(bounds, 'baseline') && !relative)
    report.error(
      'missing-key',
      [...at, 'baseline'],
      'key',
      `\`baseline\` of \`${metric}\` is compared with nothing`,
      'add `max_drop` or `max_rise`',
    );
  for (const path of [['max_drop'], ['max_rise'], ['warn', 'max_drop'], ['warn', 'max_rise']]) {
    const key = path.at(-1) ?? '';
    if (has(path.length === 1 ? bounds : warn, key) && !has(bounds, 'baseline'))
      report.error(
        'missing-key',
        [...at, ...path],
        'key',
        `\`${key}\` of \`${metric}\` needs a \`baseline\``,
        '`baseline: main` compares with the branch main',
      );
  }
  const absolute = has(bounds, 'min') || has(bounds, 'max');
  if (has(bounds, 'without_baseline') && !has(bounds, 'baseline') && !relative && absolute)
    report.error('conflict', [...at, 'without_baseline'], 'key', '`without_baseline` needs a `baseline`');
  // An unknown key may be the bound that was meant: it has been named.
  const foreign = Object.keys(bounds).some((key) => !requirementKeys.includes(key));
  const soft = Object.keys(warn).length > 0 || Object.keys(goal).length > 0;
  const none = !absolute && !has(bounds, 'baseline') && !relative && !soft;
  if (none && !foreign)
    report.error(
      'missing-key',
      at,
      'key',
      `the requirement of \`${metric}\` has no bound`,
      'add `min`, `max`, or `baseline` with `max_drop` or `max_rise`',
    );
}

function checkSides(metric: string, { min, max }: Loose, at: Path, report: Reporter): void {
  if (typeof min === 'number' && typeof max === 'number' && min > max)
    report.error('conflict', [...at, 'max'], 'value', `\`${metric}\` can never be at least ${min} and at most ${max}`);
}

/** A warning lies within what is required: beyond it there is a fail already. */
function checkWarn(metric: string, bounds: Loose, warn: Loose, report: Reporter): void {
  const never = (key: string, required: unknown) =>
    report.error(
      'conflict',
      ['require', metric, 'warn', key],
      'value',
      `this warning of \`${metric}\` never comes: what misses it fails by \`${key}: ${String(required)}\` already`,
      'warn before it fails, or take one of the two away',
    );
  const { min, max } = bounds;
  if (isAtMost(warn.min, min)) never('min', min);
  if (isAtMost(max, warn.max)) never('max', max);
  for (const key of ['max_drop', 'max_rise']) {
    const [soft, hard] = [marginOf(warn[key]), marginOf(bounds[key])];
    if (soft !== undefined && soft.kind === hard?.kind && soft.amount >= hard.amount) never(key, bounds[key]);
  }
  for (const [key, other] of [
    ['min', isBelow(max, warn.min)],
    ['max', isBelow(warn.max, min)],
  ] as const)
    if (other)
      report.error(
        'conflict',
        ['require', metric, 'warn', key],
        'value',
        `every value of \`${metric}\` warns or fails`,
      );
}

function checkGoal(metric: string, { min, max }: Loose, goal: Loose, report: Reporter): void {
  const at = (key: string) => ['require', metric, 'goal', key];
  for (const [key, pointless, unreachable] of [
    ['min', isAtMost(goal.min, min), isBelow(max, goal.min)],
    ['max', isAtMost(max, goal.max), isBelow(goal.max, min)],
  ] as const) {
    if (pointless)
      report.error('conflict', at(key), 'value', `the goal of \`${metric}\` asks for no more than its \`${key}\` does`);
    if (unreachable)
      report.error('conflict', at(key), 'value', `the goal of \`${metric}\` is beyond what its requirement allows`);
  }
}

const isBelow = (a: unknown, b: unknown): boolean => typeof a === 'number' && typeof b === 'number' && a < b;
const isAtMost = (a: unknown, b: unknown): boolean => typeof a === 'number' && typeof b === 'number' && a <= b;
const marginOf = (value: unknown): Margin | undefined =>
  typeof value === 'number' || typeof value === 'string' ? parseMargin(value) : undefined;

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

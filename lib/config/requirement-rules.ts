import { has, isMap, type Loose, listOr, mapOr } from './loose.ts';
import type { Path } from './path.ts';
import { parseLimit } from './quantity.ts';
import { checkLimits, checkQuantity } from './quantity-rules.ts';
import type { Reporter } from './reporter.ts';
import { requirementKeys } from './requirement-schema.ts';
import type { Margin } from './types.ts';
import { parseMargin } from './units.ts';

/** A requirement that could never be met, or never fail, is a mistake. */
export function checkRequirements(value: Loose, report: Reporter): void {
  const known = knownMetrics(value);
  const artifacts = listOr(value.artifacts).filter((path) => typeof path === 'string');
  for (const [metric, bounds] of Object.entries(mapOr(value.require))) {
    checkQuantity(metric, known, artifacts, report);
    if (isMap(bounds)) checkBounds(metric, bounds, report);
  }
  checkMore(value, report);
}

/** How many seeds may be added is declared before any has been seen: docs/noise.md. */
function checkMore(value: Loose, report: Reporter): void {
  const asking = Object.entries(mapOr(value.require)).filter(([, bounds]) => mapOr(bounds).undecided === 'more');
  const allowing = listOr(value.steps).flatMap((step, index) => (has(mapOr(mapOr(step).seeds), 'more') ? [index] : []));
  if (allowing.length === 0)
    for (const [key] of asking)
      report.error(
        'missing-key',
        ['require', key, 'undecided'],
        'value',
        '`undecided: more` does not say how many seeds more',
        'add `more` to the seeds: { parameter: seed, values: [1, 2, 3], more: 10 }',
      );
  if (asking.length === 0)
    for (const index of allowing)
      report.error(
        'conflict',
        ['steps', index, 'seeds', 'more'],
        'key',
        '`more` is for requirements that say `undecided: more`, and there is none',
      );
}

function checkBounds(metric: string, bounds: Loose, report: Reporter): void {
  const at = ['require', metric];
  const [warn, goal] = [mapOr(bounds.warn), mapOr(bounds.goal)];
  const relative = [bounds, warn].some((limits) => has(limits, 'max_drop') || has(limits, 'max_rise'));
  checkSides(metric, bounds, at, report);
  checkLimits(metric, bounds, at, report);
  checkSides(metric, warn, [...at, 'warn'], report);
  checkLimits(metric, warn, [...at, 'warn'], report);
  checkSides(metric, goal, [...at, 'goal'], report);
  checkLimits(metric, goal, [...at, 'goal'], report);
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
  if (has(bounds, 'equals'))
    for (const key of ['min', 'max', 'baseline', 'max_drop', 'max_rise', 'warn', 'goal', 'undecided'])
      if (has(bounds, key))
        report.error(
          'conflict',
          [...at, key],
          'key',
          `\`${key}\` of \`${metric}\` stands beside \`equals\`, which says it all`,
        );
  const absolute = has(bounds, 'min') || has(bounds, 'max') || has(bounds, 'equals');
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
      'add `min`, `max`, `equals`, or `baseline` with `max_drop` or `max_rise`',
    );
}

function checkSides(key: string, { min, max }: Loose, at: Path, report: Reporter): void {
  if (isBelow(key, max, min))
    report.error(
      'conflict',
      [...at, 'max'],
      'value',
      `\`${key}\` can never be at least ${String(min)} and at most ${String(max)}`,
    );
}

/** A warning lies within what is required: beyond it there is a fail already. */
function checkWarn(key: string, bounds: Loose, warn: Loose, report: Reporter): void {
  const at = (limit: string) => ['require', key, 'warn', limit];
  const never = (limit: string) =>
    report.error(
      'conflict',
      at(limit),
      'value',
      `this warning of \`${key}\` never comes: what misses it fails by \`${limit}: ${String(bounds[limit])}\` already`,
      'warn before it fails, or take one of the two away',
    );
  if (isAtMost(key, warn.min, bounds.min)) never('min');
  if (isAtMost(key, bounds.max, warn.max)) never('max');
  for (const limit of ['max_drop', 'max_rise']) {
    const [soft, hard] = [marginOf(warn[limit]), marginOf(bounds[limit])];
    if (soft !== undefined && soft.kind === hard?.kind && soft.amount >= hard.amount) never(limit);
  }
  const always = (limit: string) =>
    report.error('conflict', at(limit), 'value', `every value of \`${key}\` warns or fails`);
  if (isBelow(key, bounds.max, warn.min)) always('min');
  if (isBelow(key, warn.max, bounds.min)) always('max');
}

function checkGoal(key: string, { min, max }: Loose, goal: Loose, report: Reporter): void {
  const wrong = (limit: string, what: string) =>
    report.error('conflict', ['require', key, 'goal', limit], 'value', `the goal of \`${key}\` ${what}`);
  const beyond = 'is beyond what its requirement allows';
  if (isAtMost(key, goal.min, min)) wrong('min', 'asks for no more than its `min` does');
  if (isAtMost(key, max, goal.max)) wrong('max', 'asks for no more than its `max` does');
  if (isBelow(key, max, goal.min)) wrong('min', beyond);
  if (isBelow(key, goal.max, min)) wrong('max', beyond);
}

/** Compares two limits of one key, where both are there. */
const compare = (key: string, a: unknown, b: unknown): number =>
  (parseLimit(key, a) ?? Number.NaN) - (parseLimit(key, b) ?? Number.NaN);
const isBelow = (key: string, a: unknown, b: unknown): boolean => compare(key, a, b) < 0;
const isAtMost = (key: string, a: unknown, b: unknown): boolean => compare(key, a, b) <= 0;
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

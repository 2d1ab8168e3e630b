import { printableLine } from '../base/printable.ts';
import { unreachable } from '../base/unreachable.ts';
import type { CellChange } from '../fingerprint/diff-cells.ts';
import type { ItemChange } from '../fingerprint/environment-changes.ts';
import type { Explained } from '../fingerprint/explain.ts';
import type { Place } from '../verdict/types.ts';
import { plural } from './numbers.ts';
import { cut } from './trim.ts';
import type { Changes, ChangeText } from './types.ts';

/** Where the two runs were; equal fingerprints elsewhere need not give equal metrics. */
export interface Places {
  readonly before: Place;
  readonly after: Place;
}

/** What changed between two fingerprints, in words, and what of the usual suspects did not. */
export function changesText(changes: readonly Explained[], places?: Places): Changes {
  const machines = places === undefined ? [] : machineParts(places);
  const changed = changes.flatMap(changeTexts);
  const touched = new Set(changes.flatMap(suspectsOf));
  return {
    changed: [...changed, ...machines.flatMap(({ text }) => (text === undefined ? [] : [{ what: text }]))],
    same: [
      ...['code', 'data', 'parameters', 'environment'].filter((suspect) => !touched.has(suspect)),
      ...machines.flatMap(({ name, text }) => (text === undefined ? [name] : [])),
    ],
  };
}

/** What can no longer be said to be the same. A step that is new or gone takes its parameters with it. */
function suspectsOf(change: Explained): readonly string[] {
  switch (change.kind) {
    case 'code':
    case 'notebook':
    case 'scope':
      return ['code'];
    case 'data':
      return ['data'];
    case 'environment':
    case 'setup':
    case 'env':
      return ['environment'];
    case 'parameter':
      return ['parameters'];
    case 'step':
      if (change.name === '') return ['code', 'parameters'];
      return ['seeds', 'matrix', 'floats'].includes(change.name) ? ['parameters'] : ['code'];
    case 'metric':
    case 'computation':
      return [];
    default:
      return unreachable(change);
  }
}

/** Most changes are one line; those with a known inside are one for each cell or package. */
export function changeTexts(change: Explained): readonly ChangeText[] {
  switch (change.kind) {
    case 'code':
    case 'notebook': {
      const path = name(change.path);
      return change.cells === undefined || change.cells.length === 0
        ? [{ what: `${path}${side(change)}` }]
        : change.cells.map((cell) => cellText(path, cell));
    }
    case 'data':
      return [{ what: `${name(change.entry)}${side(change)}${filesText(change)}` }];
    case 'environment':
      return change.items === undefined || change.items.length === 0
        ? [{ what: `environment${side(change)}` }]
        : change.items.map((item) => ({ what: `environment: ${itemText(item)}` }));
    case 'setup':
      return [{ what: `setup${side(change)}` }];
    case 'env':
      return [{ what: `env ${name(change.name)}${fromTo(change)}` }];
    case 'parameter':
    case 'metric':
      return [{ what: `${change.kind} ${name(change.name)} of step ${change.step + 1}${fromTo(change)}` }];
    case 'step': {
      const part =
        change.name === ''
          ? ''
          : `: ${change.name === 'floats' ? 'which numbers are floats (1.0, not 1)' : name(change.name)}`;
      return [{ what: `step ${change.step + 1}${part}${side(change)}` }];
    }
    case 'scope': {
      const counts = change.counts ? 'counts now' : 'counts no more';
      return [{ what: `${name(change.path)} ${counts} for step ${change.step + 1}` }];
    }
    case 'computation':
      return [{ what: 'this program computes something else from the same inputs' }];
    default:
      return unreachable(change);
  }
}

const name = (text: string): string => cut(printableLine(text), 60);

interface Sides {
  readonly before?: unknown;
  readonly after?: unknown;
}
const side = ({ before, after }: Sides): string =>
  before === undefined ? ' (new)' : after === undefined ? ' (gone)' : '';
const fromTo = (sides: Sides): string =>
  sides.before === undefined || sides.after === undefined
    ? side(sides)
    : `: ${name(JSON.stringify(sides.before))} → ${name(JSON.stringify(sides.after))}`;

/** A changed or new cell by its number now, one that is gone by the number it had. */
function cellText(path: string, cell: CellChange): ChangeText {
  switch (cell.kind) {
    case 'changed':
      return { what: `${path} cell ${cell.after}`, ...codeOf(cell.line) };
    case 'added':
      return { what: `${path} cell ${cell.after} (new)`, ...codeOf(cell.line) };
    case 'removed':
      return { what: `${path} cell ${cell.before} (gone)`, ...codeOf(cell.line) };
    case 'language':
      return { what: `${path} language: ${name(cell.before)} → ${name(cell.after)}` };
    default:
      return unreachable(cell);
  }
}

function codeOf(line: string): Pick<ChangeText, 'code'> {
  const code = printableLine(line).trim();
  return code === '' ? {} : { code };
}

function filesText({ before, after, files }: Extract<Explained, { kind: 'data' }>): string {
  if (before === undefined || after === undefined) return '';
  if (before.hash === after.hash) return after.writable ? ': writable now' : ': writable no more';
  if (files === undefined) {
    return before.files === after.files ? '' : `: ${plural(before.files, 'file')} → ${after.files}`;
  }
  if (before.files === 1 && after.files === 1 && files.changed.length === 1) return '';
  const parts = [
    ...(files.changed.length === 0 ? [] : [`${plural(files.changed.length, 'file')} changed`]),
    ...(files.added.length === 0 ? [] : [`${files.added.length} new`]),
    ...(files.missing.length === 0 ? [] : [`${files.missing.length} gone`]),
  ];
  return `: ${parts.join(', ')}`;
}

/** The two files that count by their hash, which tells a person nothing. */
const hashed: Readonly<Record<string, string>> = { lock: 'uv.lock', project: 'pyproject.toml' };

export function itemText(item: ItemChange): string {
  const file = hashed[item.where];
  switch (item.kind) {
    case 'changed':
      return file ?? `${name(item.before)} → ${name(item.after)}`;
    case 'added':
      return `${file ?? name(item.after)} (new)`;
    case 'removed':
      return `${file ?? name(item.before)} (gone)`;
    case 'order':
      return `order of ${name(item.where)}`;
    default:
      return unreachable(item);
  }
}

export interface MachinePart {
  readonly name: string;
  /** Undefined: the same. */
  readonly text?: string;
}
/** Said only where both runs have told: metrics differ between CPU types by themselves. */
export function machineParts({ before, after }: Places): readonly MachinePart[] {
  const part = (kind: string, old: string | undefined, now: string | undefined): readonly MachinePart[] => {
    if (old === undefined || now === undefined) return [];
    return [old === now ? { name: kind } : { name: kind, text: `${kind}: ${name(old)} → ${name(now)}` }];
  };
  return [...part('CPU type', before.cpu, after.cpu), ...part('GPU type', before.gpu, after.gpu)];
}

import { printableLine } from '../base/printable.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Change } from '../fingerprint/differences.ts';
import { plural } from './numbers.ts';
import { cut } from './trim.ts';
import type { Changes, ChangeText } from './types.ts';

/** What changed between two fingerprints, in words, and what of the usual suspects did not. */
export function changesText(changes: readonly Change[]): Changes {
  const kinds = new Set(changes.map(({ kind }) => kind));
  const same = [
    ...(kinds.has('code') || kinds.has('notebook') ? [] : ['code']),
    ...(kinds.has('data') ? [] : ['data']),
    ...(kinds.has('parameter') ? [] : ['parameters']),
    ...(kinds.has('environment') ? [] : ['environment']),
  ];
  return { changed: changes.map(changeText), same };
}

export function changeText(change: Change): ChangeText {
  switch (change.kind) {
    case 'code':
    case 'notebook':
      return { what: `${name(change.path)}${side(change)}` };
    case 'data':
      return { what: `${name(change.entry)}${side(change)}${counts(change)}` };
    case 'environment':
    case 'setup':
      return { what: `${change.kind}${side(change)}` };
    case 'env':
      return { what: `env ${name(change.name)}${fromTo(change)}` };
    case 'parameter':
    case 'metric':
      return { what: `${change.kind} ${name(change.name)} of step ${change.step + 1}${fromTo(change)}` };
    case 'step':
      return {
        what: `step ${change.step + 1}${change.name === '' ? side(change) : `: ${name(change.name)}${side(change)}`}`,
      };
    case 'scope':
      return {
        what: `${name(change.path)} ${change.counts ? 'counts now' : 'counts no more'} for step ${change.step + 1}`,
      };
    case 'computation':
      return { what: 'this program computes something else from the same inputs' };
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

function counts({ before, after }: Extract<Change, { kind: 'data' }>): string {
  if (before === undefined || after === undefined || before.files === after.files) return '';
  return `: ${plural(before.files, 'file')} → ${after.files}`;
}

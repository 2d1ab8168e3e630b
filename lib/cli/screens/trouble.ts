import type { Diagnostic } from '../../config/types.ts';
import { formatDiagnostic } from '../diagnostic.ts';
import type { Style } from '../style.ts';
import { labelled, lead, paragraph, saidLines, under, width, wrap } from './layout.ts';
import type { Setting } from './setting.ts';

/** An error as a person needs it: what failed, where, what was tried, what was said, what to type next. */
export interface Trouble {
  /** What failed, in one sentence without a full stop. */
  readonly failed: string;
  readonly where?: string;
  readonly tried?: string;
  /** Another program's own words, as they are: never hidden. */
  readonly raw?: string;
  /** Mistakes in the config: they say what failed, and where, by themselves. */
  readonly diagnostics?: readonly Diagnostic[];
  /** Files and the like, one a line. */
  readonly list?: readonly string[];
  /** What it means for the push, the job, the file. */
  readonly means?: string;
  /** Commands to type, each with what it does. */
  readonly next: readonly Next[];
}
export interface Next {
  readonly command: string;
  readonly what?: string;
}

/** Of a union's reason the members that have it, also those with several reasons. */
export type Having<E extends { readonly reason: string }, Reason> = E extends unknown
  ? Reason extends E['reason']
    ? E
    : never
  : never;
/** One entry for each reason: a new reason does not compile until it has words. */
export type Words<E extends { readonly reason: string }> = {
  readonly [Reason in E['reason']]: (error: Having<E, Reason>, setting: Setting) => Trouble;
};

export function troubleOf<E extends { readonly reason: string }>(words: Words<E>, error: E, setting: Setting): Trouble {
  const reason: E['reason'] = error.reason;
  // TypeScript cannot pair an entry with its own error; the type of `words` has done so.
  return (words[reason] as (error: E, setting: Setting) => Trouble)(error, setting);
}

/** Columns beside a label. */
const room = 82;

export function troubleLines(trouble: Trouble, style: Style): readonly string[] {
  const { failed, where = '', tried = '', raw = '', diagnostics = [], list = [], means = '', next } = trouble;
  const [first = '', ...more] = wrap(failed, 90);
  const head = failed === '' ? [] : [lead(style.red(first)), ...more.map((line) => under(style.red(line)))];
  const mistakes = diagnostics.flatMap((diagnostic) => diagnosticLines(diagnostic, style));
  return [
    ...head,
    ...mistakes.map((line, index) => (head.length === 0 && index === 0 ? lead(line) : under(line))),
    ...paragraph('where', [where]),
    ...paragraph('tried', [tried]),
    ...paragraph('said', saidLines(raw)),
    ...list.map((line) => under(line)),
    ...wrap(means, room)
      .filter((line) => line !== '')
      .map((line) => under(line)),
    ...nextLines(next, style),
  ];
}

export const troublesLines = (troubles: readonly Trouble[], style: Style): readonly string[] =>
  troubles.flatMap((trouble) => troubleLines(trouble, style));

/** A mistake and its place; the excerpt of the file keeps its columns, the words are wrapped. */
export function diagnosticLines(diagnostic: Diagnostic, style: Style): readonly string[] {
  const [head = '', ...excerpt] = formatDiagnostic(diagnostic, style).split('\n');
  return [...wrap(head, 90).map((line, index) => (index === 0 ? line : `  ${line}`)), ...excerpt];
}

/** Commands and what they do, side by side, or one below the other where a command is long. */
export function nextLines(next: readonly Next[], style: Style): readonly string[] {
  const most = 40;
  const longest = Math.max(...next.map(({ command }) => width(command)).filter((columns) => columns <= most), 0);
  return next.flatMap(({ command, what }, index) => {
    const label = index === 0 ? 'next' : '';
    if (what === undefined) return [labelled(label, style.cyan(command))];
    const beside = width(command) <= most && longest + 3 + width(what) <= room;
    if (beside) return [labelled(label, `${style.cyan(command)}${' '.repeat(longest - width(command))}   ${what}`)];
    return [labelled(label, style.cyan(command)), ...wrap(what, room).map((line) => labelled('', `  ${line}`))];
  });
}

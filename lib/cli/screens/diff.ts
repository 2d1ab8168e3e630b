import { short } from '../../base/ids.ts';
import { unreachable } from '../../base/unreachable.ts';
import type { Diff, DiffSide, Ran } from '../../commands/diff.ts';
import type { CellChange } from '../../fingerprint/diff-cells.ts';
import type { Explained } from '../../fingerprint/explain.ts';
import type { LineCount } from '../../git/line-counts.ts';
import { changesText, changeTexts, itemText, machineParts } from '../../report/changes.ts';
import { metricDifferenceText } from '../../report/metric-differences.ts';
import { plural } from '../../report/numbers.ts';
import type { Style } from '../style.ts';
import { diffUncompared } from './diff-trouble.ts';
import { columns, labelled, lead, paragraph, said, under, width } from './layout.ts';
import type { Setting } from './setting.ts';
import { type Next, nextLines } from './trouble.ts';
import { colours } from './verdict.ts';

/** `mlops diff A B`: the metrics of both, and what changed between them, a line for each file, its cells and files below it. */
export function diffLines(facts: Diff, setting: Setting): readonly string[] {
  const { before, after } = facts;
  const { fingerprint } = after;
  const same = fingerprint !== undefined && isSameRun(facts) ? `: the same run ${short(fingerprint)}` : '';
  const head = `${short(before.commit)} → ${short(after.commit)}${same}`;
  return [lead(head), ...diffBody(facts, setting)];
}

/** The same without its first line, for a screen that has found the two. */
export function diffBody(facts: Diff, setting: Setting): readonly string[] {
  const { before, after, comparison } = facts;
  const { style } = setting;
  const same = isSameRun(facts);
  return [
    ...columns([sideCells('before', before, style), sideCells('after', after, style)]).map(under),
    ...metricRows(facts, style).map(under),
    ...(comparison.ok
      ? changeLines(comparison.value.changes, facts.lines, style)
      : paragraph('changed', diffUncompared(comparison.error, setting), style.yellow)),
    ...ranLines(facts),
    ...sameLines(facts, same),
    ...nextLines(ways(facts), style),
  ];
}

const isSameRun = ({ before, after }: Diff): boolean =>
  before.fingerprint !== undefined && before.fingerprint === after.fingerprint;

function sideCells(label: string, { revision, commit, subject, fingerprint, report }: DiffSide, style: Style) {
  const isPart = commit.startsWith(revision) || (fingerprint?.startsWith(revision) ?? false);
  const name = isPart ? '' : ` (${said(revision, 20)})`;
  const verdict = report === undefined ? style.dim('no verdict') : style[colours[report.outcome]](report.outcome);
  const run = fingerprint === undefined ? '' : `run ${short(fingerprint)}`;
  return [label.padEnd(6), `${short(commit)}${name}`, verdict, run, said(subject, 30)];
}

const mostMetrics = 30;

function metricRows({ before, after, metrics }: Diff, style: Style): readonly string[] {
  if (metrics.length === 0) return [];
  const rows = metrics.slice(0, mostMetrics).map((one) => {
    const text = metricDifferenceText(one, { before: before.report, after: after.report });
    return [said(one.metric, 24), text.before, text.after, text.change];
  });
  const right = { right: true } as const;
  const [first = '', ...others] = columns(
    [['metric', short(before.commit), short(after.commit), 'change'], ...rows],
    [{ most: 24 }, right, right, right],
  );
  const more = metrics.length - rows.length;
  return [style.dim(first), ...others, ...(more > 0 ? [`and ${plural(more, 'metric')} more: --json`] : [])];
}

type Part = 'code' | 'data' | 'settings' | 'packages';
const parts: readonly Part[] = ['code', 'data', 'settings', 'packages'];

function partOf({ kind }: Explained): Part {
  switch (kind) {
    case 'code':
    case 'notebook':
      return 'code';
    case 'data':
      return 'data';
    case 'environment':
      return 'packages';
    case 'setup':
    case 'env':
    case 'parameter':
    case 'metric':
    case 'step':
    case 'scope':
    case 'computation':
      return 'settings';
    default:
      return unreachable(kind);
  }
}

/** A line of a file as `git diff --stat` has it: its name, and how much of it came and went. */
interface Row {
  readonly name: string;
  readonly size: string;
  readonly inside: readonly string[];
}

const mostRows = 25;

function changeLines(changes: readonly Explained[], lines: Diff['lines'], style: Style): readonly string[] {
  return parts.flatMap((part) => {
    const rows = changes.filter((change) => partOf(change) === part).flatMap((change) => rowsOf(change, lines, style));
    const names = Math.min(48, Math.max(0, ...rows.map(({ name, size }) => (size === '' ? 0 : width(name)))));
    const text = rows.slice(0, mostRows).flatMap(({ name, size, inside }) => {
      const gap = ' '.repeat(Math.max(3, names - width(name) + 3));
      return [size === '' ? name : `${name}${gap}${size}`, ...inside.map((line) => `  ${line}`)];
    });
    const more = rows.length - mostRows;
    return [...text, ...(more > 0 ? [`and ${more} more`] : [])].map((line, index) =>
      labelled(index === 0 ? part : '', line),
    );
  });
}

function rowsOf(change: Explained, lines: Diff['lines'], style: Style): readonly Row[] {
  const plus = (count: number) => (count === 0 ? '' : style.green(`+${count}`));
  const minus = (count: number) => (count === 0 ? '' : style.red(`−${count}`));
  const counted = (added: number, removed: number, changed = 0): string =>
    [plus(added), minus(removed), changed === 0 ? '' : `~${changed}`].filter((part) => part !== '').join(' ');
  if (change.kind === 'notebook' && change.cells !== undefined && change.cells.length > 0) {
    const { cells } = change;
    const of = (kind: CellChange['kind']) => cells.filter((cell) => cell.kind === kind).length;
    const size = `${plural(cells.length, 'cell')}  ${counted(of('added'), of('removed'), of('changed'))}`.trimEnd();
    return [{ name: said(change.path, 60), size, inside: some(cells.map((cell) => cellLine(cell, style))) }];
  }
  if (change.kind === 'code' || change.kind === 'notebook') {
    const count: LineCount | undefined = lines.get(change.path);
    const side = change.before === undefined ? '(new)' : change.after === undefined ? '(gone)' : '';
    const size = [count === undefined ? '' : counted(count.added, count.removed), side].filter((part) => part !== '');
    return [{ name: said(change.path, 60), size: size.join(' ') || 'changed', inside: [] }];
  }
  if (change.kind === 'data' && change.files !== undefined) {
    const { added, missing, changed } = change.files;
    const size = `${plural(added.length + missing.length + changed.length, 'file')}  ${counted(added.length, missing.length, changed.length)}`;
    const files = [
      ...changed.map(({ path }) => `~ ${said(path, 70)}`),
      ...added.map(({ path }) => `${style.green('+')} ${said(path, 70)}`),
      ...missing.map(({ path }) => `${style.red('−')} ${said(path, 70)}`),
    ];
    const alone = files.length === 1 && changed[0]?.path === change.entry;
    if (files.length > 0)
      return [{ name: said(change.entry, 60), size: alone ? 'changed' : size, inside: alone ? [] : some(files) }];
  }
  if (change.kind === 'environment' && change.items !== undefined && change.items.length > 0)
    return change.items.map((item) => ({ name: said(itemText(item), 82), size: '', inside: [] }));
  return changeTexts(change).map(({ what }) => ({ name: said(what, 82), size: '', inside: [] }));
}

const mostInside = 8;
const some = (texts: readonly string[]): readonly string[] =>
  texts.length <= mostInside + 1 ? texts : [...texts.slice(0, mostInside), `and ${texts.length - mostInside} more`];

function cellLine(cell: CellChange, style: Style): string {
  const line = 'line' in cell && cell.line.trim() !== '' ? `   \`${said(cell.line, 56)}\`` : '';
  switch (cell.kind) {
    case 'changed':
      return `~ cell ${cell.after}${line}`;
    case 'added':
      return `${style.green('+')} cell ${cell.after}${line}`;
    case 'removed':
      return `${style.red('−')} cell ${cell.before}${line}`;
    case 'language':
      return `language: ${said(cell.before, 30)} → ${said(cell.after, 30)}`;
    default:
      return unreachable(cell);
  }
}

/** What the specification does not say: what was really installed, and where it ran. */
export function ranLines({ installed = [], places }: Ran): readonly string[] {
  const machines = places === undefined ? [] : machineParts(places).flatMap(({ text }) => text ?? []);
  const [old, now] = [places?.before.node, places?.after.node];
  const nodes = old === undefined || now === undefined || old === now ? [] : [`node: ${old} → ${now}`];
  return [
    ...paragraph('ran with', some(installed.map((item) => said(itemText(item), 82)))),
    ...paragraph(
      'ran on',
      [...machines, ...nodes].map((text) => said(text, 82)),
    ),
  ];
}

function sameLines({ comparison, places, installed }: Diff, same: boolean): readonly string[] {
  if (!comparison.ok || same) return [];
  const usual = changesText(comparison.value.changes, places).same;
  const all = [...usual, ...(installed?.length === 0 ? ['installed packages'] : [])];
  return all.length === 0 ? [] : paragraph('same', [all.join(', ')]);
}

function ways({ before, after }: Diff): readonly Next[] {
  const without = [before, after].filter(({ report }) => report === undefined);
  return without.map(({ commit }) => ({ command: `mlops run ${short(commit)}`, what: 'trains and judges it' }));
}

import { canonicalJson, type Json } from '../base/canonical-json.ts';
import type { CodeFile, DataSet, Inputs, StepInputs } from './types.ts';

/** One thing that makes two fingerprints differ. Undefined on a side: it is not there. Steps count from zero. */
export type Change =
  | { readonly kind: 'code' | 'notebook'; readonly path: string; readonly before?: CodeFile; readonly after?: CodeFile }
  | { readonly kind: 'data'; readonly entry: string; readonly before?: DataSet; readonly after?: DataSet }
  | { readonly kind: 'environment' | 'setup'; readonly before?: Json; readonly after?: Json }
  | { readonly kind: 'env'; readonly name: string; readonly before?: string; readonly after?: string }
  | {
      readonly kind: 'parameter' | 'metric' | 'step';
      readonly step: number;
      /** The parameter or metric; of a step the part that differs (`run`, `seeds` …); `` for all of it. */
      readonly name: string;
      readonly before?: Json;
      readonly after?: Json;
    }
  /** The same files, but one that belonged to later steps alone now counts for this step, or the other way round. */
  | { readonly kind: 'scope'; readonly step: number; readonly path: string; readonly counts: boolean }
  | { readonly kind: 'computation'; readonly before: number; readonly after: number };

type Fields = { readonly [key: string]: Json | undefined };

/** What changed from `a` to `b`; empty exactly where their fingerprints are equal. */
export function explainDifference(a: Inputs, b: Inputs): readonly Change[] {
  const computation = { before: a.computation ?? 1, after: b.computation ?? 1 };
  return [
    ...(computation.before === computation.after ? [] : [{ kind: 'computation' as const, ...computation }]),
    ...differ(a.code, b.code).map(({ name, ...sides }) => ({
      kind: (sides.after ?? sides.before)?.kind === 'notebook' ? ('notebook' as const) : ('code' as const),
      path: name,
      ...sides,
    })),
    ...differ(counted(a.data), counted(b.data)).map(({ name }) => ({
      kind: 'data' as const,
      entry: name,
      ...sides(a.data[name], b.data[name]),
    })),
    ...one('environment', a.environment, b.environment),
    ...differ(a.env, b.env).map(({ name, ...sides }) => ({ kind: 'env' as const, name, ...sides })),
    ...one('setup', a.setup, b.setup),
    ...a.steps.flatMap((step, index) => stepChanges(index, step, b.steps[index], b)),
    ...b.steps.slice(a.steps.length).map((step, index) => ({
      kind: 'step' as const,
      step: a.steps.length + index,
      name: '',
      after: step.definition,
    })),
  ];
}

/** Sizes are facts about the data and not in the fingerprint. */
const counted = (data: Inputs['data']) =>
  Object.fromEntries(Object.entries(data).map(([name, { hash, writable }]) => [name, { hash, writable }]));

function stepChanges(step: number, before: StepInputs, after: StepInputs | undefined, b: Inputs): readonly Change[] {
  if (after === undefined) return [{ kind: 'step', step, name: '', before: before.definition }];
  const changes: Change[] = [];
  for (const { name, ...parts } of differ(fields(before.definition), fields(after.definition))) {
    const inner = name === 'parameters' ? 'parameter' : name === 'metrics' ? 'metric' : undefined;
    if (inner === undefined) changes.push({ kind: 'step', step, name, ...parts });
    else {
      for (const part of differ(unwrapped(parts.before), unwrapped(parts.after))) {
        changes.push({ kind: inner, step, ...part });
      }
    }
  }
  const scope = (path: string, counts: boolean): Change => ({ kind: 'scope', step, path, counts });
  const both = (path: string) => Object.hasOwn(b.code, path);
  return [
    ...changes,
    ...before.without.filter((path) => both(path) && !after.without.includes(path)).map((path) => scope(path, true)),
    ...after.without.filter((path) => both(path) && !before.without.includes(path)).map((path) => scope(path, false)),
  ];
}

const fields = (value: Json | undefined): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
/** Metrics are `{expressions: …}` or `{file}`. */
const unwrapped = (value: Json | undefined): Fields => {
  const object = fields(value);
  return Object.keys(object).length === 1 && object.expressions !== undefined ? fields(object.expressions) : object;
};

function one(kind: 'environment' | 'setup', before: Json | undefined, after: Json | undefined): readonly Change[] {
  return same(before, after) ? [] : [{ kind, ...sides(before, after) }];
}

function differ<T extends object | Json | undefined>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
): readonly ({ readonly name: string } & Sides<T>)[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) =>
    same(before[name], after[name]) ? [] : [{ name, ...sides(before[name], after[name]) }],
  );
}

interface Sides<T> {
  readonly before?: Exclude<T, undefined>;
  readonly after?: Exclude<T, undefined>;
}
const sides = <T>(before: T | undefined, after: T | undefined): Sides<T> => ({
  ...(before === undefined ? {} : { before: before as Exclude<T, undefined> }),
  ...(after === undefined ? {} : { after: after as Exclude<T, undefined> }),
});
const same = (a: unknown, b: unknown) => text(a) === text(b);
const text = (value: unknown) => (value === undefined ? '' : canonicalJson(value as Json));

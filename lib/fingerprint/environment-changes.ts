import type { Json } from '../base/canonical-json.ts';

/** One thing of an environment's specification that differs. `where` is its place: `conda.dependencies`, `requirements`, `image`. */
export type ItemChange =
  | { readonly kind: 'changed'; readonly where: string; readonly before: string; readonly after: string }
  | { readonly kind: 'added'; readonly where: string; readonly after: string }
  | { readonly kind: 'removed'; readonly where: string; readonly before: string }
  /** The same items in another order, which decides between channels and index servers. */
  | { readonly kind: 'order'; readonly where: string };

/** Which packages and settings make two environments differ. Of another kind altogether, nothing can be compared but the kind. */
export function environmentChanges(before: Json, after: Json): readonly ItemChange[] {
  const [old, now] = [placesOf(before), placesOf(after)];
  const kind = listChanges('kind', old.get('kind') ?? [], now.get('kind') ?? []);
  if (kind.length > 0) return kind;
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .flatMap((where) => listChanges(where, old.get(where) ?? [], now.get(where) ?? []));
}

type Places = ReadonlyMap<string, readonly string[]>;

/** Every text of the specification, in order, under the keys that lead to it. */
function placesOf(specification: Json): Places {
  const places = new Map<string, string[]>();
  const visit = (value: Json | undefined, where: string): void => {
    if (value === undefined) return;
    if (Array.isArray(value)) for (const item of value as readonly Json[]) visit(item, where);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value)) visit(member, where === '' ? key : `${where}.${key}`);
    } else places.set(where, [...(places.get(where) ?? []), typeof value === 'string' ? value : JSON.stringify(value)]);
  };
  visit(specification, '');
  return places;
}

/** What was taken from one list and what was added in the other, by package. */
export function listChanges(where: string, before: readonly string[], after: readonly string[]): readonly ItemChange[] {
  const removed = without(before, after);
  const added = without(after, before);
  if (removed.length === 0 && added.length === 0) {
    return before.some((item, index) => item !== after[index]) ? [{ kind: 'order', where }] : [];
  }
  const single = removed.length === 1 && added.length === 1 && before.length === 1 && after.length === 1;
  const changes: ItemChange[] = [];
  for (const item of removed) {
    const at = added.findIndex((other) => single || packageOf(other) === packageOf(item));
    const [other] = at < 0 ? [] : added.splice(at, 1);
    changes.push(
      other === undefined
        ? { kind: 'removed', where, before: item }
        : { kind: 'changed', where, before: item, after: other },
    );
  }
  return [...changes, ...added.map((item): ItemChange => ({ kind: 'added', where, after: item }))];
}

/** An item that is there twice and once is gone once. */
function without(items: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return items.filter((item) => {
    const at = left.indexOf(item);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** `conda-forge::NumPy=1.26` and `numpy>=2; python_version > "3.9"` are one package; `--index-url A` and `--index-url B` one option. */
function packageOf(item: string): string {
  const [, name = item] = /^(?:[^\s:]+::)?(--?[a-z-]+|[A-Za-z0-9][A-Za-z0-9._-]*)/.exec(item) ?? [];
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

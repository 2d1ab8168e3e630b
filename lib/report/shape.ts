/** A check of what was read: undefined where it fits, else the path of the first place that does not. */
export type Shape = (value: unknown, path: string) => string | undefined;

const when =
  (fits: (value: unknown) => boolean): Shape =>
  (value, path) =>
    fits(value) ? undefined : path;

export const text = when((value) => typeof value === 'string');
export const finite = when((value) => typeof value === 'number' && Number.isFinite(value));
export const count = when((value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0);
export const flag = when((value) => typeof value === 'boolean');
export const scalar = when((value) => value === null || ['string', 'boolean', 'number'].includes(typeof value));
export const matching = (pattern: RegExp): Shape => when((value) => typeof value === 'string' && pattern.test(value));
export const oneOf = (...words: readonly (string | number)[]): Shape =>
  when((value) => words.some((word) => word === value));

/** A member that may be left out. */
export const optional =
  (shape: Shape): Shape =>
  (value, path) =>
    value === undefined ? undefined : shape(value, path);

export const list =
  (shape: Shape): Shape =>
  (value, path) =>
    Array.isArray(value) ? first(value.map((item, index) => () => shape(item, `${path}[${index}]`))) : path;

export const tuple =
  (...shapes: readonly Shape[]): Shape =>
  (value, path) =>
    Array.isArray(value) && value.length === shapes.length
      ? first(shapes.map((shape, index) => () => shape(value[index], `${path}[${index}]`)))
      : path;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const record =
  (shape: Shape): Shape =>
  (value, path) =>
    isRecord(value)
      ? first(
          Object.entries(value).map(
            ([key, item]) =>
              () =>
                shape(item, `${path}.${key}`),
          ),
        )
      : path;

/** Members that are not named may be there: a later minor version may add some. */
export const members =
  (shapes: Readonly<Record<string, Shape>>): Shape =>
  (value, path) => {
    if (!isRecord(value)) return path;
    const get = (key: string) => (Object.hasOwn(value, key) ? value[key] : undefined);
    return first(
      Object.entries(shapes).map(
        ([key, shape]) =>
          () =>
            shape(get(key), path === '' ? key : `${path}.${key}`),
      ),
    );
  };

/** By the literal in one member. */
export const variants =
  (key: string, shapes: Readonly<Record<string, Shape>>): Shape =>
  (value, path) => {
    const kind = isRecord(value) ? value[key] : undefined;
    const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
    return shape === undefined ? `${path}.${key}` : shape(value, path);
  };

function first(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const problem = check();
    if (problem !== undefined) return problem;
  }
  return undefined;
}

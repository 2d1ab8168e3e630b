/** Looking into a document that the schema may have refused: what has the wrong type is as good as not there. */
export type Loose = Readonly<Record<string, unknown>>;

export const isMap = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const mapOr = (value: unknown): Loose => (isMap(value) ? value : {});
export const listOr = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const has = (value: Loose, key: string): boolean => value[key] !== undefined;

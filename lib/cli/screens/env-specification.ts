import type { Json } from '../../base/canonical-json.ts';

export interface AskedFor {
  readonly kind?: string;
  /** One line for each thing that was asked for. */
  readonly asks: readonly string[];
}

/** What `specification.json` says, for people. Its form is that of the fingerprint's environment; what is not known is shown as it is. */
export function askedFor(text: string): AskedFor {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return { asks: [text] }; // cut short by a full disk: still better than nothing
  }
  const { environment, setup } = members(value);
  const { kind, modules, packages, channels, requirements, conda, python, ...rest } = members(environment);
  const { dependencies, channels: own, ...more } = members(conda);
  const line = (label: string, items: Json | undefined) =>
    items === undefined ? [] : [`${label}: ${flat(items).join(' ')}`];
  return {
    ...(typeof kind === 'string' ? { kind } : {}),
    asks: [
      ...line('packages', packages ?? dependencies),
      ...line('channels', channels ?? own),
      ...line('requirements', requirements),
      ...line('locked', more.explicit),
      ...line('Python', python),
      ...Object.entries(rest).flatMap(([name, member]) => line(name, member)),
      ...line('modules', modules),
      ...line('setup', setup),
    ].filter((one) => !one.endsWith(': ')),
  };
}

const members = (value: Json | undefined): { readonly [key: string]: Json | undefined } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json | undefined })
    : {};

/** Lists in lists, one after the other; a map by its names. */
function flat(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => flat(item as Json));
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([name, member]) => [`${name}:`, ...flat(member ?? null)]);
  return value === null ? [] : [String(value)];
}

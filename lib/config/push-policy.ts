import type { Config, PushPolicy, PushRule } from './types.ts';

/** What a push to this branch does: an exact name wins, then the longest matching pattern; no match is a gate. */
export function pushPolicy(config: Pick<Config, 'push'>, branch: string): PushPolicy {
  const exact = config.push.find((rule) => rule.pattern === branch);
  if (exact !== undefined) return exact.policy;
  const best = config.push
    .filter((rule) => matches(rule.pattern, branch))
    .reduce<PushRule | undefined>(
      (a, b) => (a !== undefined && a.pattern.length >= b.pattern.length ? a : b),
      undefined,
    );
  return best?.policy ?? 'gate';
}

/** `*` stands for any text, slashes too; `?` for one character. Everything else is itself. */
function matches(pattern: string, branch: string): boolean {
  const source = pattern
    .replace(/[\\^$.+()|[\]{}]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 's').test(branch);
}

import { shellQuote } from '../base/shell-quote.ts';

export const hookNames = ['post-commit', 'pre-push', 'post-rewrite'] as const;
export type HookName = (typeof hookNames)[number];

/** The shims of `hooks/`, by name. */
export type Shims = Readonly<Record<HookName, string>>;

/** What a hook starts: `NODE PROGRAM pre-push …`. Absolute paths: a hook of a graphical client has a bare PATH. */
export interface HookProgram {
  readonly node: string;
  readonly program: string;
}

/**
 * own: a file of this clone, with this machine's paths in it. tracked: a file that colleagues get too, so the paths are in the
 * clone's git config. shared: a file for all of a user's repositories, so it does nothing where `mlops init` has not been.
 */
export type ShimStyle = 'own' | 'tracked' | 'shared';

/** The shim's lines for a hook file, without the shebang. */
export function renderShim(shim: string, program: HookProgram, style: ShimStyle): string {
  const [node, script] =
    style === 'own'
      ? [shellQuote(program.node), shellQuote(program.program)]
      : ['$(git config --get mlops.node) || :', '$(git config --get mlops.program) || :'];
  const lines = shim
    .replace(/^#!.*\n/, '')
    .replace('mlops_node=@NODE@', () => `mlops_node=${node}`)
    .replace('mlops_program=@PROGRAM@', () => `mlops_program=${script}`);
  return style === 'shared' ? `if git config --get mlops.trusted >/dev/null 2>&1; then\n${lines}fi\n` : lines;
}

/** Hook files are handled as byte strings: they may be in any encoding. */
export const bytes = (text: string): string => Buffer.from(text).toString('latin1');
export const bytesOf = (shims: Shims): Shims => ({
  'post-commit': bytes(shims['post-commit']),
  'pre-push': bytes(shims['pre-push']),
  'post-rewrite': bytes(shims['post-rewrite']),
});

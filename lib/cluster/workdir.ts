import { err, ok, type Result } from '../base/result.ts';
import { shellQuote } from '../base/shell-quote.ts';
import type { Host, HostError } from './host.ts';

export type WorkdirError =
  | { readonly reason: 'host'; readonly cause: HostError }
  /** `expanded` is what became of it on the host. */
  | { readonly reason: 'not-absolute'; readonly workdir: string; readonly expanded?: string }
  | { readonly reason: 'unset-variable'; readonly workdir: string; readonly variables: readonly string[] }
  /** A `$` or `~` that is neither a variable nor the home. */
  | { readonly reason: 'not-a-variable'; readonly workdir: string; readonly text: string }
  | { readonly reason: 'not-writable'; readonly path: string; readonly detail: string }
  /** `groups` is what `id -Gn` says there. */
  | { readonly reason: 'not-in-group'; readonly group: string; readonly groups: string }
  /** It holds content already, and does not belong to the group or hands the group on to nothing that is made in it. */
  | { readonly reason: 'not-shared'; readonly path: string; readonly group: string; readonly detail: string }
  | { readonly reason: 'disk-full'; readonly path: string; readonly detail: string };

type Piece = { readonly text: string } | { readonly variable: string };

/** `$NAME`, `${NAME}` and a leading `~`; nothing else of a shell: the value comes from a file of the repository. */
export function parseWorkdir(workdir: string): Result<readonly Piece[], WorkdirError> {
  const pieces: Piece[] = [];
  let rest = workdir;
  if (/^~(?=\/|$)/.test(rest)) {
    pieces.push({ variable: 'HOME' });
    rest = rest.slice(1);
  } else if (rest.startsWith('~')) {
    return err({ reason: 'not-a-variable', workdir, text: rest.split('/')[0] ?? rest });
  }
  while (rest !== '') {
    const [whole = '', braced, plain, text] = /^(?:\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)|([^$]+))/.exec(rest) ?? [];
    if (whole === '') return err({ reason: 'not-a-variable', workdir, text: rest.split('/')[0] ?? rest });
    const variable = braced ?? plain;
    pieces.push(variable === undefined ? { text: text ?? '' } : { variable });
    rest = rest.slice(whole.length);
  }
  return ok(pieces);
}

/** The absolute folder on the host, made if need be (for the user alone, or for a group) and seen to be writable. */
export async function expandWorkdir(
  host: Host,
  workdir: string,
  options: { readonly group?: string; readonly signal?: AbortSignal } = {},
): Promise<Result<string, WorkdirError>> {
  const parsed = parseWorkdir(workdir);
  if (!parsed.ok) return parsed;
  const asked = await host.exec(workdirScript(parsed.value, options.group), {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (!asked.ok) return err({ reason: 'host', cause: asked.error });
  const { code, stdout, stderr } = asked.value;
  const answer = stdout.endsWith('\n') ? stdout.slice(0, -1) : stdout;
  switch (code) {
    case 0:
      return ok(answer);
    case 81:
      return err({ reason: 'unset-variable', workdir, variables: answer.split('\n') });
    case 82:
      return err({ reason: 'not-absolute', workdir, expanded: answer });
    case 85:
      return err({ reason: 'not-in-group', group: options.group ?? '', groups: answer });
    case 84:
      return err({ reason: 'not-shared', path: answer, group: options.group ?? '', detail: stderr.trim() });
    default: {
      const reason = /no space left|quota exceeded/i.test(stderr) ? 'disk-full' : 'not-writable';
      return err({ reason, path: answer, detail: stderr.trim() });
    }
  }
}

function workdirScript(pieces: readonly Piece[], group: string | undefined): string {
  const variables = [...new Set(pieces.flatMap((piece) => ('variable' in piece ? [piece.variable] : [])))];
  const value = pieces
    .map((piece) => ('variable' in piece ? `"\${${piece.variable}}"` : shellQuote(piece.text)))
    .join('');
  // Before anything is made. A name may have a space in it (Active Directory), so the words are not taken apart.
  const member =
    group === undefined
      ? ''
      : `case " $(id -Gn) $(id -G) " in *${shellQuote(` ${group} `)}*) ;; *) id -Gn; exit 85 ;; esac`;
  // One that was made by hand is shared as long as nothing is in it; what is in it later would stay private.
  const share =
    group === undefined
      ? ''
      : `shared() { [ -n "$(find "$dir" -prune -group ${shellQuote(group)} -perm -2070)" ]; }
if ! shared; then
  [ ! -d "$dir/objects" ] || { ls -ld "$dir" >&2; exit 84; }
  chgrp ${shellQuote(group)} "$dir" && chmod 2770 "$dir" || exit 83
fi`;
  return `LC_ALL=C; export LC_ALL
: "\${USER:=$(id -un)}"
${member}
unset=
${variables.map((name) => `[ -n "\${${name}-}" ] || { echo ${name}; unset=1; }`).join('\n')}
[ -z "$unset" ] || exit 81
dir=${value === '' ? "''" : value}
printf '%s\\n' "$dir"
case $dir in /*) ;; *) exit 82 ;; esac
umask ${group === undefined ? '077' : '007'}
if [ ! -d "$dir" ]; then mkdir -p "$dir" || exit 83; fi
${share}
mkdir -p "$dir/tmp" "$dir/objects" || exit 83
# Permission alone is no promise: a full disk or quota shows only when something is written.
probe=$dir/tmp/.probe-$$
{ echo probe >"$probe"; } && [ -s "$probe" ]
written=$?
rm -f "$probe"
[ $written -eq 0 ] || { echo "cannot write in $dir/tmp" >&2; exit 83; }`;
}

import { shellQuote } from '../base/shell-quote.ts';

/** What a machine says of itself, without a folder or a scheduler being touched. */
export interface SiteFacts {
  /** Seconds since 1970, by its own clock. */
  readonly now: number;
  readonly user: string;
  readonly system: string;
  /** The login shell, or empty. */
  readonly shell: string;
  /** Those of `siteTools` that are on PATH. */
  readonly tools: readonly string[];
}

/** What the store and the job cannot do without, and (the first two) what hashes: either is enough. */
export const siteTools = ['openssl', 'sha256sum', 'tar', 'awk', 'sed', 'find', 'cksum'] as const;

export const siteScript = `LC_ALL=C; export LC_ALL
echo "now=$(date +%s)"
echo "user=$(id -un)"
echo "system=$(uname -sr)"
entry=$(getent passwd "$(id -u)" 2>/dev/null) || entry=$(grep "^$(id -un):" /etc/passwd 2>/dev/null)
entry=\${entry##*:}
echo "shell=\${entry:-\${SHELL-}}"
for tool in ${siteTools.join(' ')}; do
  if command -v "$tool" >/dev/null 2>&1; then echo "tool=$tool"; fi
done`;

export function parseSite(text: string): SiteFacts | undefined {
  const { one, all } = fields(text);
  const now = Number(one('now'));
  if (one('now') === '' || !Number.isFinite(now)) return undefined;
  return { now, user: one('user'), system: one('system'), shell: one('shell'), tools: all('tool') };
}

/** `free`: for this user, root's reserve not counted. Undefined where `df` does not tell. */
export interface FolderFacts {
  readonly free?: number;
  readonly freeFiles?: number;
  /** The file system's type as the system names it: `lustre`, `nfs`, `ext2/ext3`. */
  readonly type?: string;
  readonly mount?: string;
  readonly hardLinks: boolean;
  readonly quotas: readonly Quota[];
  /** `quota` or `lfs quota` is there, and did not answer. */
  readonly quotaWords?: string;
}

/** Of one file system. A limit of undefined is none. */
export interface Quota {
  readonly of: string;
  readonly bytes: number;
  readonly byteLimit?: number;
  readonly files: number;
  readonly fileLimit?: number;
}

/** `dir` exists and has a writable `tmp/`. */
export const folderScript = (dir: string): string => `LC_ALL=C; export LC_ALL
dir=${shellQuote(dir)}
df -Pk "$dir" 2>/dev/null | sed -n '2,$s/^/space=/p'
df -Pi "$dir" 2>/dev/null | sed -n '2,$s/^/inodes=/p'
# GNU's stat, else df with a column of types (the second) before the numbers.
type=$(stat -f -c %T "$dir" 2>/dev/null) || type=$(df -PT "$dir" 2>/dev/null | awk 'NR == 2 { print $2 }')
echo "type=$type"
probe=$dir/tmp/ASK-$$
if : >"$probe" && ln "$probe" "$probe.link" 2>/dev/null; then echo "links=yes"; fi
rm -f "$probe" "$probe.link"
# A server of quotas that is down keeps its clients waiting.
limit=$(command -v timeout) && limit="$limit 20"
tell() {
  words=$("$@" 2>&1)
  code=$?
  if [ $code -eq 0 ]; then printf '%s\\n' "$words" | sed 's/^/quota=/'; else printf '%s\\n' "$words" | sed 's/^/quota-words=/'; fi
}
if command -v lfs >/dev/null 2>&1 && [ "$type" = lustre ]; then tell $limit lfs quota -q -u "$(id -un)" "$dir"
elif command -v quota >/dev/null 2>&1; then tell $limit quota -w -p
fi`;

export function parseFolder(text: string): FolderFacts {
  const { one, all } = fields(text);
  // The device may hold blanks: the numbers are counted from the percentage.
  const space = /\s(-?\d+)\s+\d+%\s+(\/.*)$/.exec(one('space'));
  const inodes = /\s(\d+)\s+(\d+)\s+(\d+)\s+\d+%\s/.exec(one('inodes'));
  const type = one('type');
  const words = all('quota-words').join('\n').trim();
  return {
    ...(space === null ? {} : { free: Math.max(0, Number(space[1])) * 1024, mount: space[2] ?? '' }),
    // Some file systems make inodes as they are needed, and say 0 of 0.
    ...(inodes === null || Number(inodes[1]) === 0 ? {} : { freeFiles: Number(inodes[3]) }),
    ...(type === '' ? {} : { type }),
    hardLinks: one('links') === 'yes',
    quotas: parseQuotas(all('quota')),
    ...(words === '' ? {} : { quotaWords: words }),
  };
}

/**
 * `quota -w -p` and `lfs quota -q` alike: file system, kilobytes, quota, limit, grace, files, quota, limit, grace. lfs puts what follows
 * a long name on the next line, and marks with `*` what is over.
 */
function parseQuotas(lines: readonly string[]): readonly Quota[] {
  const number = '(\\d+)\\*?';
  const row = new RegExp(
    `^\\s*(\\S+)\\s+${number}\\s+(\\d+)\\s+(\\d+)\\s+\\S+\\s+${number}\\s+(\\d+)\\s+(\\d+)\\s+\\S+\\s*$`,
  );
  return lines.flatMap((line, index) => {
    const match = row.exec(line) ?? row.exec(`${lines[index - 1] ?? ''} ${line}`);
    if (match === null) return [];
    const [of = '', bytes, soft, hard, files, softFiles, hardFiles] = match.slice(1);
    // The lower of the two stops work: beyond the soft one a grace period runs.
    const limit = (one: string | undefined, other: string | undefined) =>
      [Number(one), Number(other)].filter((it) => it > 0).sort((a, b) => a - b)[0];
    const byteLimit = limit(soft, hard);
    const fileLimit = limit(softFiles, hardFiles);
    return [
      {
        of,
        bytes: Number(bytes) * 1024,
        ...(byteLimit === undefined ? {} : { byteLimit: byteLimit * 1024 }),
        files: Number(files),
        ...(fileLimit === undefined ? {} : { fileLimit }),
      },
    ];
  });
}

/** Lines `KEY=VALUE`; a key may come several times. */
export function fields(text: string): {
  readonly one: (key: string) => string;
  readonly all: (key: string) => readonly string[];
} {
  const lines = text.split('\n');
  const all = (key: string) =>
    lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
  return { one: (key) => all(key)[0] ?? '', all };
}

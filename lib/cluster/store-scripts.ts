import { shellQuote } from '../base/shell-quote.ts';

/** What runs on the far side. Only POSIX sh, tar, awk, find, xargs, df and one program for SHA-256 are expected there. */

export const LANGUAGE = 'LC_ALL=C; export LC_ALL';

/** Before a command that may take long: a login node is shared. */
export const POLITE = 'command -v nice >/dev/null 2>&1 || nice() { "$@"; }';

/** `$hash FILE…` prints `HASH *FILE` lines. */
export const HASH = `if command -v openssl >/dev/null 2>&1; then hash='openssl dgst -sha256 -r'
elif command -v sha256sum >/dev/null 2>&1; then hash=sha256sum
elif command -v shasum >/dev/null 2>&1; then hash='shasum -a 256'
else exit 71; fi`;

/**
 * Only its owner can touch a file that nobody may write. That a colleague's content is used says a file of its name in `used/`, which all of
 * the group may touch: gc looks there too.
 */
const MARK = `theirs=$(printf '%s\\n' "$list" | cut -d ' ' -f 1 | xargs sh -c 'find "$@" -prune -mtime +0 -print 2>/dev/null' sh)
if [ -n "$theirs" ]; then
  umask 007
  mkdir -p ../used && cd ../used && printf '%s\\n' "$theirs" | cut -d / -f 1 | sort -u | xargs mkdir -p && printf '%s\\n' "$theirs" | xargs touch
fi
`;

/** Standard input: `ab/cdef… SIZE` lines. Prints the names of those that are not there with that size; -1 is any size. */
export function missingScript(workdir: string, group: boolean): string {
  return `${LANGUAGE}
cd ${shellQuote(workdir)} || exit 70
mkdir -p objects || exit 70
cd objects || exit 70
list=$(cat)
# One ls for thousands of files; what is missing is a complaint of ls that nobody reads.
{ printf '%s\\n' "$list" | cut -d ' ' -f 1 | xargs ls -lnd 2>/dev/null; echo =; printf '%s\\n' "$list"; } | awk '
  compare { if (!($1 in size) || ($2 >= 0 && size[$1] != $2)) print $1; next }
  $1 == "=" { compare = 1; next }
  { size[$NF] = $5 }'
# Scratch file systems delete what has not been used for weeks.
printf '%s\\n' "$list" | cut -d ' ' -f 1 | xargs sh -c 'find "$@" -prune -mtime +0 -exec touch -c {} + 2>/dev/null' sh
${group ? MARK : ''}exit 0`;
}

/** Prints `full AVAILABLE`, in KiB: what is free where the current folder is. */
export const FULL = `available() { df -P -k . | awk 'NR > 1 { print $(NF - 2); exit }'; }
full() { printf 'full %s\\n' "$(available)"; }`;

/**
 * An end by a signal cleans up like any other. PIPE: a shell that dies of complaining to a connection that is gone runs no EXIT trap.
 * Deaf from then on, and what it starts too: an abort sends TERM twice (the server's, and ours to the group), the second into its rm.
 */
export const SIGNALS = `trap 'trap "" HUP TERM INT PIPE; exit 75' HUP TERM INT PIPE`;

/** tar's complaints, and its exit status as the last line. It goes on after an error of one file; a disk that is full shall
 * not take the rest of a long stream, so its pipe closes after 30 lines and it dies of the next. */
const untar = (options: string) => `said=$({ tar ${options} - 2>&1; echo "tar $?"; } | head -n 30)
case $said in
  *'tar 0') ;;
  *) printf '%s\\n' "$said" >&2; full; exit 73 ;;
esac`;

export interface PutScript {
  readonly workdir: string;
  /** A name for a folder below `tmp`. */
  readonly upload: string;
  readonly group: boolean;
  readonly neededKiB: number;
}

/**
 * Standard input: a tar of `ab/cdef…`. Nothing gets into the store whose content was not hashed here. Prints `wrong PATH` for
 * what is not what its name says, `full AVAILABLE`, and `installed` at the end.
 */
export function putScript({ workdir, upload, group, neededKiB }: PutScript): string {
  return `${LANGUAGE}
umask ${group ? '007' : '077'}
cd ${shellQuote(workdir)} || exit 70
work=$(pwd)
${FULL}
${HASH}
free=$(available)
# Blocks of a lost upload take room that need not be free once more.
there=$(du -sk tmp/PART-* 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }')
if [ ${neededKiB} -gt $((\${free:-${neededKiB}} + there)) ]; then full; exit 72; fi
trap 'cd "$work" && rm -rf tmp/${upload}' EXIT
${SIGNALS}
if mkdir -p objects tmp && mkdir tmp/${upload} && cd tmp/${upload}; then :; else full; exit 73; fi
${untar('xmof')}
if [ -n "$(find . -type f | head -n 1)" ]; then
  wrong=$(find . -type f | xargs $hash | awk '
    { path = $NF; sub(/^\\*/, "", path); sub(/^\\.\\//, "", path); name = path; sub(/\\//, "", name)
      if ($1 != name) print path }')
  for path in $wrong; do rm -f "$path"; echo "wrong $path"; done
  find . -type f -exec chmod 0444 {} +
  # Nothing is left of a folder whose content was all wrong.
  find . -type d -name '??' -exec rmdir {} + 2>/dev/null
  set -- ??
  # Folders that are not there yet go as a whole, in one process; the others stay here.
  mv -f "$@" "$work/objects" 2>/dev/null
  set -- ??
  if [ -d "$1" ]; then
    (cd "$work/objects" && mkdir -p "$@") || { full; exit 73; }
    # One rename each: whoever looks sees all of an object or none. An equal object of another writer may be replaced.
    for part; do mv -f "$part"/* "$work/objects/$part/" || { full; exit 73; }; done
  fi
fi
echo installed`;
}

export interface BuildScript {
  readonly workdir: string;
  readonly build: string;
  readonly into: string;
  readonly partial: string;
  readonly group: boolean;
  /** Some entries are hard links, which do not lead to another file system. */
  readonly hardLinks: boolean;
}

/**
 * Standard input: a tar of links to objects, all names relative (busybox makes them so, whatever one says): below `build` in `P` what is to be
 * a link in the tree, in `F` plain files to be copied, in `X` executable ones, in `E` executable ones that stay read-only (copied because an object
 * has one mode), in `L` symbolic links as they are. The last entry is `whole`.
 */
export function buildScript({ workdir, build, into, partial, group, hardLinks }: BuildScript): string {
  return `${LANGUAGE}
umask ${group ? '007' : '077'}
cd ${shellQuote(workdir)} || exit 70
work=$(pwd)
into=${shellQuote(into)}
out=${shellQuote(partial)}
${FULL}
there() { [ -e "$into" ] || [ -L "$into" ]; }
there && exit 76
build=$work/tmp/${build}
trap 'cd / && rm -rf "$build" "$out"' EXIT
${SIGNALS}
mkdir -p tmp && mkdir "$build" && (cd "$build" && mkdir P F X E L) && mkdir -p "\${out%/*}" || { full; exit 73; }
${hardLinks ? `true >"$build/probe" && ln "$build/probe" "$out" && rm -f "$out" || exit 73` : ''}
# Links may lead out of the folder: with -P for GNU's and BSD's tar, while busybox has no such option and wants to be told like this.
EXTRACT_UNSAFE_SYMLINKS=1; export EXTRACT_UNSAFE_SYMLINKS
case $(tar --help 2>&1) in *BusyBox*) absolute='' ;; *) absolute=P ;; esac
${untar('xmo"$absolute"f')}
# tar takes an archive that breaks off between two entries for a whole one.
[ -L "$build/whole" ] || exit 75
${hardLinks ? '' : `[ -z "$(find -L "$build/P" -type l | head -n 1)" ] || { echo 'a content is not there any more' >&2; exit 73; }`}
mv "$build/P" "$out" || { full; exit 73; }
cd "$out" || exit 70
# Only what was copied gets another mode: what is linked has the store's. Read from arguments: a path may have a newline.
mode() { (cd "$build/$1" && find . -type l -exec sh -c 'cd "$1" && m=$2 && shift 2 && chmod "$m" "$@"' sh "$out" "$2" {} +); }
{ cp -RL "$build/F/." . && cp -RL "$build/X/." . && cp -RL "$build/E/." . && cp -RP "$build/L/." . && mode F u+w && mode X u+w,+x && mode E +x; } || { full; exit 73; }
find . -type f -mtime +0 -exec touch -c {} + 2>/dev/null
cd / || exit 70
there && exit 76
mv "$out" "$into" || { full; exit 73; }
# Someone made the folder in between: mv has put ours inside theirs.
if [ -d "$into/\${out##*/}" ]; then rm -rf "$into/\${out##*/}"; exit 76; fi
exit 0`;
}

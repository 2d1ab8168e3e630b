import { shellExpanded, shellQuote } from '../base/shell-quote.ts';

/**
 * Shell functions that the pin and the check of a pin share, so that both see the same files. A listing has a line `SIZE TIME NAME` for each file
 * (bytes, whole seconds since 1970, relative to the data's own path; `.` where that is a file), sorted by bytes. docs/fingerprint.md, "Data".
 */
export const listingFunctions = `listed_hash() {
  if command -v openssl >/dev/null 2>&1; then openssl dgst -sha256 -r <"$1" | cut -c 1-64
  elif command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1" | cut -c 1-64
  else shasum -a 256 <"$1" | cut -c 1-64; fi
}
# each_file ACTION…: find's action on every file from here on that counts; links count as what they lead to.
each_file() {
  find -L . -type d \\( -name .git -o -name .ipynb_checkpoints \\) -prune -o \\
    ! -name .gitignore ! -name .gitattributes ! -name .gitkeep ! -name .keep ! -name .DS_Store ! -name Thumbs.db ! -name desktop.ini ! -name '.nfs*' "$@"
}
# list_files PATH FILE: the listing of PATH into FILE, or words on standard error.
list_files() (
  LC_ALL=C
  export LC_ALL
  if [ ! -d "$1" ]; then
    stat -L -c '%s %Y .' "$1" >"$2"
    exit
  fi
  cd "$1" || exit 1
  odd=$(each_file \\( ! -type d ! -type f -o -name '*
*' \\) -print | sed 20q)
  if [ -n "$odd" ]; then
    printf 'links that lead nowhere, pipes, sockets, devices, or names with a line break:\\n%s\\n' "$odd" >&2
    exit 1
  fi
  each_file -type f -exec stat -L -c '%s %Y %n' {} + >"$2.all" || exit 1
  sed 's|^\\([0-9]* [-0-9]*\\) \\./|\\1 |' "$2.all" | sort >"$2"
  rm -f "$2.all"
)`;

/** A data set of the cluster as the lock has it. */
export interface PinnedPath {
  readonly as: string;
  /** May begin with a variable. */
  readonly cluster: string;
  /** SHA-256 of the listing. */
  readonly listing: string;
  readonly files: number;
  readonly pinnedAt: string;
}

/**
 * The part of a job that checks pins and puts the links into its tree. It uses job.sh's `now`, `not_prepared`, `$words`, `$private` and `$workdir`.
 * The names of what differs come from the listing that the pin, or an earlier job, has left in `pins/`.
 */
export const checkPinsScript = (pins: readonly PinnedPath[]): string => `${listingFunctions}
# differences AS PINNED-AT BEFORE AFTER: how many differ, in one line, and some of their names.
differences() {
  awk -v as="$1" -v at="$2" '
    { p = index($0, " "); rest = substr($0, p + 1); q = index(rest, " "); name = substr(rest, q + 1); what = substr($0, 1, p + q - 1) }
    NR == FNR { before[name] = what; next }
    !(name in before) { if (++added <= 10) lines = lines "new      " name "\\n"; next }
    before[name] != what { if (++changed <= 10) lines = lines "changed  " name "\\n" }
    { delete before[name] }
    END {
      for (name in before) if (++gone <= 10) lines = lines "gone     " name "\\n"
      printf "%s: %d changed, %d gone, %d new since it was pinned at %s\\n%s", as, changed, gone, added, at, lines
    }' "$3" "$4"
}
# check_pin AS PATH LISTING FILES PINNED-AT
check_pin() {
  now "checking the data $1"
  if [ ! -e "$2" ]; then
    echo "$1: there is nothing at $2" >"$words"
    not_prepared data-changed-there
  fi
  if ! list_files "$2" "$private/listing" 2>"$private/unlisted"; then
    { echo "$1: the files of $2 cannot be listed:"; cat "$private/unlisted"; } >"$words"
    not_prepared data-changed-there
  fi
  pinned=$workdir/pins/$3
  if [ "$(listed_hash "$private/listing")" != "$3" ]; then
    {
      if [ -f "$pinned" ]; then differences "$1" "$5" "$pinned" "$private/listing"
      else
        echo "$1: not what was pinned at $5 ($4 files then, $(wc -l <"$private/listing" | tr -d ' ') now)"
        echo "which files differ is not known: the list of the pinned ones is not in $workdir"
      fi
      echo "at $2"
      echo "if that is meant: mlops data pin, and commit .mlops/data.lock"
    } >"$words"
    not_prepared data-changed-there
  fi
  # The list is right: kept, or young again, so that the next difference has names.
  if [ -f "$pinned" ]; then touch -c "$pinned"
  else
    mkdir -p "$workdir/pins" && cp "$private/listing" "$pinned.$attempt.$$" && mv -f "$pinned.$attempt.$$" "$pinned" ||
      say "the list of the files of $1 could not be kept"
  fi
  case $1 in
  */*) mkdir -p "tree/\${1%/*}" ;;
  esac
  if ! ln -s "$2" "tree/$1"; then
    echo "$1: the link to $2 could not be made" >"$words"
    not_prepared files-missing
  fi
}
${pins
  .map(({ as, cluster, listing, files, pinnedAt }) =>
    ['check_pin', shellQuote(as), shellExpanded(cluster), listing, String(files), shellQuote(pinnedAt)].join(' '),
  )
  .join('\n')}
`;

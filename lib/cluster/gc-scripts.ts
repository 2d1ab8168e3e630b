import { shellQuote } from '../base/shell-quote.ts';
import { UNBELIEVE } from './share-scripts.ts';
import { HASH, LANGUAGE, POLITE } from './store-scripts.ts';

/** A login node is shared: one find for each kind, with the lowest priority. Paths here are ours, without spaces. */

export interface SurveyScript {
  readonly workdir: string;
  readonly days: number;
  /** Every object, not only those that are old. */
  readonly all: boolean;
}

/** Prints lines that begin with their kind; the last one is `done`. */
export const surveyScript = ({ workdir, days, all }: SurveyScript): string => `${LANGUAGE}
${POLITE}
TZ=UTC0; export TZ
cd ${shellQuote(workdir)} || exit 70
echo "now $(date +%Y) $(date +%m)"
me=$(id -u)
quiet() { [ -z "$(nice find "$@" -mtime -1 2>/dev/null | head -n 1)" ]; }
old() { xargs sh -c 'find "$@" -prune -mtime +${days} 2>/dev/null' sh | sed 's/^/old /'; }
for path in tmp/UPLOAD-* tmp/TREE-* tmp/PART-* tmp/GONE-* tmp/ASK-* tmp/.probe-* tmp/[0-9a-f]*.[0-9]* tmp/[0-9a-f]*..incoming-*.build; do
  [ ! -e "$path" ] || ! quiet "$path" || echo "temporary $path"
done
for path in runs/*/.incoming-*; do
  [ ! -d "$path" ] || ! quiet "$path" "$path"/* -prune || echo "temporary $path"
done
for path in runs/*/[0-9]*; do
  [ -d "$path" ] || continue
  for part in "$path"/tree "$path"/pristine "$path"/data "$path"/out "$path"/tasks/*/tree "$path"/tasks/*/out; do
    [ ! -d "$part" ] || [ -L "\${part%/*}" ] || echo "files $part"
  done
  if [ -f "$path/state/end" ]; then echo "ended $path"; continue; fi
  id=; at=; name=
  if [ -f "$path/state/submitted" ]; then
    while IFS== read -r key value; do
      case $key in id) id=$value ;; at) at=$value ;; name) name=$value ;; esac
    done <"$path/state/submitted"
  fi
  set -- $(ls -lnd "$path")
  if [ "\${3-}" = "$me" ]; then owner=own; else owner=other; fi
  echo "open $path $owner $id $at $name"
  [ ! -f "$path/in/trees" ] || cut -d ' ' -f 1 "$path/in/trees" | sed 's/^/uses /'
  [ ! -f "$path/in/data" ] || cut -d ' ' -f 1 "$path/in/data" | sed 's/^/data /'
done
for path in trees/*.*; do
  if [ -f "$path/files" ]; then echo "tree $path"
  elif [ -d "$path" ] && quiet "$path" "$path"/* -prune; then echo "temporary $path"; fi
done
printf '%s\\n' trees/*/files | old
# What is in a tree cannot be freed before it.
for path in trees/*/files; do
  [ ! -f "$path" ] || [ -n "$(find "$path" -prune -mtime +${days})" ] || sed '1d;s/^/used /' "$path"
done
for path in runs/*/keep; do [ ! -d "$path" ] || echo "keep $path"; done
printf '%s\\n' runs/*/[0-9]*/state | old
[ ! -d used ] || nice find used -type f ! -mtime +${days} 2>/dev/null | sed 's|^used/\\(..\\)/|used \\1|'
printf '%s\\n' runs/*/[0-9]*/result/kept runs/*/[0-9]*/tasks/*/result/kept | xargs cat 2>/dev/null | awk '{ print "used", $1 }'
for path in steps/*.*; do [ ! -f "$path" ] || ! quiet "$path" || echo "temporary $path"; done
printf '%s\\n' steps/* | xargs awk '/^archive=/ { print "step", FILENAME, substr($0, 9) }' 2>/dev/null
printf '%s\\n' steps/* | old
[ ! -d objects ] || nice find objects -type f ${all ? '' : `\\( -name '.?*' -mtime +0 -o -mtime +${days} \\)`} -exec ls -ln {} + |
  awk '{ total += $5; print "object", $NF, $5, $6, $7, $8 } END { printf "total %.0f\\n", total }'
${all ? `[ ! -d objects ] || nice find objects -type f -mtime +${days} | sed 's/^/old /'` : ''}
echo done`;

/**
 * Standard input: `KIND PATH` lines. Everything is looked at once more before it goes. Folders go by one rename first, so that nobody finds half of one.
 * Prints `left PATH` for what is still there.
 */
export const removeScript = (workdir: string, id: string, days: number): string => `${LANGUAGE}
${POLITE}
cd ${shellQuote(workdir)} || exit 70
mkdir -p tmp || exit 70
list=$(cat)
of() { printf '%s\\n' "$list" | sed -n "s/^$1 //p"; }
number=0
take() {
  number=$((number + 1))
  gone=tmp/GONE-${id}-$number
  mv "$1" "$gone" || return
  # Shared folders are closed even to their owner. Folders alone: a file may be a link to the store's content, whose mode is the same.
  nice rm -rf "$gone" 2>/dev/null || { find "$gone" -type d -exec chmod u+rwx {} \\; 2>/dev/null; nice rm -rf "$gone"; }
}
of folder | while IFS= read -r path; do [ ! -e "$path" ] || take "$path"; done
number=1000000
of tree | while IFS= read -r path; do
  [ -z "$(find "$path/files" -prune -mtime +${days} 2>/dev/null)" ] || take "$path"
done
of step | xargs sh -c 'find "$@" -prune -type f -mtime +${days} -exec rm -f {} + 2>/dev/null' sh
# What a push has found in the store meanwhile was touched by it.
of object | nice xargs sh -c '
  if [ -d used ]; then
    for path; do
      shift
      mark=used/\${path#objects/}
      if [ -e "$mark" ] && [ -n "$(find "$mark" -prune ! -mtime +0)" ]; then continue; fi
      set -- "$@" "$path"
    done
  fi
  [ $# -eq 0 ] || find "$@" -prune -type f -mtime +0 -exec rm -f {} +' sh
[ ! -d used ] || nice find used -type f -mtime +${days} -exec rm -f {} + 2>/dev/null
printf '%s\\n' "$list" | cut -d ' ' -f 2 | xargs ls -d 2>/dev/null | sed 's/^/left /'
exit 0`;

/** Prints the paths below objects whose content is not what their name says; removes them if asked. */
export const verifyScript = (workdir: string, remove: boolean): string => `${LANGUAGE}
${POLITE}
cd ${shellQuote(workdir)} || exit 70
[ -d objects ] || exit 0
cd objects || exit 70
${HASH}
${UNBELIEVE}
nice find . -type f ! -name '.*' -exec $hash {} + | awk '
  { path = $NF; sub(/^\\*/, "", path); sub(/^\\.\\//, "", path); name = path; sub(/\\//, "", name)
    if ($1 != name) print path }' | while IFS= read -r path; do
  ${remove ? 'rm -f "$path" && (cd .. && unbelieve "$(printf %s "$path" | tr -d /)") && ' : ''}echo "damaged $path"
done
echo done`;

import { shellQuote } from '../base/shell-quote.ts';
import { LANGUAGE } from './store-scripts.ts';

/**
 * A folder of data that runs share: `trees/KEY.ID/tree`, read-only, and `files` beside it, written last: `hard` or `symbolic` and the bytes of all
 * files, then the hashes of their contents. Without `files` it is half made, or not to be believed any more: runs that use it go on, nobody begins to.
 */
const BYTES = `bytes_of() { find -L "$1" -type f -exec ls -lnL {} + | awk '{ sum += $5 } END { printf "%.0f", sum }'; }`;

interface TreeToFind {
  readonly key: string;
  readonly files: { readonly length: number };
}

/**
 * Prints `found trees/KEY.ID` for each that is whole. A scratch file system may have deleted some of it: names are counted each time, which is fast,
 * and once a day every file is looked at and made young.
 */
export const findTreesScript = (workdir: string, trees: readonly TreeToFind[]): string => `${LANGUAGE}
${BYTES}
whole() {
  [ "$(find "$1/tree" ! -type d | wc -l)" -eq "$2" ] || return 1
  read -r kind bytes <"$1/files"
  [ "$kind" = hard ] || [ -z "$(find -L "$1/tree" -type l | head -n 1)" ] || return 1
  [ -n "$(find "$1/files" -prune -mtime +0)" ] || return 0
  [ -z "$bytes" ] || [ "$(bytes_of "$1/tree")" = "$bytes" ] || return 1
  find -L "$1/tree" -type f -mtime +0 -exec touch -c {} + 2>/dev/null
  touch -c "$1/files"
}
look() {
  for home in trees/$1.*; do
    [ -f "$home/files" ] || continue
    if whole "$home" "$2"; then echo "found $home" && return; fi
    rm -f "$home/files"
  done
}
cd ${shellQuote(workdir)} || exit 70
${trees.map(({ key, files }) => `look ${key} ${files.length}`).join('\n')}
exit 0`;

/** Standard input: the hashes. Prints `ready`. */
export const finishTreeScript = (home: string, group: boolean, count: number): string => `${LANGUAGE}
${BYTES}
umask ${group ? '007' : '077'}
cd ${shellQuote(home)} || exit 70
if [ -z "$(find tree -type l | head -n 1)" ]; then kind=hard; else kind=symbolic; fi
find tree -type d -exec chmod a-w {} + || exit 73
{ echo "$kind $(bytes_of tree)" && cat; } >files.tmp || exit 73
[ "$(wc -l <files.tmp)" -eq ${count + 1} ] && mv files.tmp files && echo ready`;

/** For a shell in the working folder: no run begins to use a tree with that content ($1, a hash). */
export const UNBELIEVE = `unbelieve() { for list in trees/*/files; do if [ -f "$list" ] && grep -q "^$1" "$list"; then rm -f "$list"; fi; done; }`;

import { shellQuote } from '../base/shell-quote.ts';
import { LANGUAGE } from './store-scripts.ts';

/**
 * A folder of data that runs share: `trees/KEY.ID/tree`, read-only, and `files` beside it, written last: `hard` or `symbolic`, then the hashes of its
 * contents. Without `files` it is half made, or not to be believed any more: runs that use it go on, nobody begins to.
 */
export interface FindTree {
  readonly workdir: string;
  readonly key: string;
  readonly count: number;
}

/** Prints `found trees/KEY.ID` of one that is whole: a scratch file system may have deleted some of it, and names are counted fast. */
export const findTreeScript = ({ workdir, key, count }: FindTree): string => `${LANGUAGE}
cd ${shellQuote(workdir)} || exit 70
for home in trees/${key}.*; do
  [ -f "$home/files" ] || continue
  read -r kind <"$home/files"
  if [ "$(find "$home/tree" ! -type d | wc -l)" -eq ${count} ] && { [ "$kind" = hard ] || [ -z "$(find -L "$home/tree" -type l | head -n 1)" ]; }; then
    touch -c "$home/files" && echo "found $home" && exit 0
  fi
  rm -f "$home/files"
done
exit 0`;

/** Standard input: the hashes. Prints `ready`. */
export const finishTreeScript = (home: string, group: boolean, count: number): string => `${LANGUAGE}
umask ${group ? '007' : '077'}
cd ${shellQuote(home)} || exit 70
if [ -z "$(find tree -type l | head -n 1)" ]; then kind=hard; else kind=symbolic; fi
find tree -type d -exec chmod a-w {} + || exit 73
{ echo $kind && cat; } >files.tmp || exit 73
[ "$(wc -l <files.tmp)" -eq ${count + 1} ] && mv files.tmp files && echo ready`;

/** For a shell in the working folder: no run begins to use a tree with that content ($1, a hash). */
export const UNBELIEVE = `unbelieve() { for list in trees/*/files; do if [ -f "$list" ] && grep -q "^$1" "$list"; then rm -f "$list"; fi; done; }`;

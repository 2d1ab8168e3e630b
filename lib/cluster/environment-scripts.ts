import { shellQuote } from '../base/shell-quote.ts';
import { LANGUAGE, POLITE } from './store-scripts.ts';

/** What is asked about `WORKDIR/envs`: small files only, no walk over an environment. Keys are ours, without spaces. */

/** Builders give a sign of life every five seconds. */
export const silentMinutes = 5;

const HELPERS = `modified() { date -r "$1" +%s 2>/dev/null || stat -c %Y "$1" 2>/dev/null; }
lines() { awk -v word="$1" '{ print word " " $0 }' "$2" 2>/dev/null; }
# tell KEY: what its small files say.
tell() {
  echo "environment $1"
  lines complete "envs/$1/complete"
  lines size "envs/$1/size"
  [ ! -f "envs/$1/complete" ] || echo "used $(modified "envs/$1/complete")"
  [ ! -f "envs/$1/files" ] || echo "listed $(tr -dc '\\000' <"envs/$1/files" | wc -c)"
  [ ! -f "envs/$1/failed.log" ] || echo "failed $(modified "envs/$1/failed.log")"
  [ ! -d "envs/$1/lock" ] || echo "lock $(modified "envs/$1/lock/beat" || modified "envs/$1/lock") $(cat "envs/$1/lock/owner" 2>/dev/null)"
  lines progress "envs/$1/progress"
  lines specification "envs/$1/specification.json"
  echo "changed $(modified "envs/$1")"
}
# Which environment an attempt uses stands in its script, from before it is submitted.
uses() { sed -n 's|.*envs/\\([0-9a-f]\\{24\\}\\).*|\\1|p' "$1/job.sh" 2>/dev/null | sed 1q; }
me=$(id -u)
# open_attempts [KEY]: those that have not said their last word, and use it.
open_attempts() {
  for path in runs/*/[0-9]* runs/*/.incoming-*; do
    [ -f "$path/job.sh" ] && [ ! -f "$path/state/end" ] || continue
    case $(sed 1q "$path/state/begun" 2>/dev/null) in abandoned*) continue ;; esac
    used=$(uses "$path")
    [ -n "$used" ] && { [ -z "\${1-}" ] || [ "$used" = "$1" ]; } || continue
    id=; at=; name=
    if [ -f "$path/state/submitted" ]; then
      while IFS== read -r key value; do
        case $key in id) id=$value ;; at) at=$value ;; name) name=$value ;; esac
      done <"$path/state/submitted"
    fi
    set -- "\${1-}" $(ls -lnd "$path")
    if [ "\${4-}" = "$me" ]; then owner=own; else owner=other; fi
    quiet=recent
    [ -z "$(find "$path" "$path/state" -prune -mtime +0 2>/dev/null | sed -n 2p)" ] || quiet=quiet
    echo "open $path $used $owner $quiet $id $at $name"
  done
}`;

export const environmentsScript = (workdir: string): string => `${LANGUAGE}
cd ${shellQuote(workdir)} || exit 70
${HELPERS}
echo "now $(date +%s)"
for path in envs/*; do
  key=\${path#envs/}
  case $key in given-*) continue ;; esac
  [ ! -d "$path" ] || tell "$key"
done
open_attempts
echo done`;

/** Of one environment the files that people read, each after its name and its length in bytes; the last one is the rest. */
export const environmentScript = (workdir: string, key: string): string => `${LANGUAGE}
cd ${shellQuote(`${workdir}/envs/${key}`)} || exit 70
for file in packages.txt lock.txt added; do
  [ ! -f "$file" ] || { printf 'file %s %s\\n' "$file" "$(wc -c <"$file" | tr -d ' ')"; cat "$file"; }
done
[ ! -f failed.log ] || { echo 'file failed.log 0'; tail -c 16384 failed.log; }`;

export interface RemoveScript {
  readonly workdir: string;
  readonly key: string;
  readonly id: string;
  /** Attempts without a last word whose job is known to be over. */
  readonly dead: readonly string[];
  /** Not one that anybody has used within a day. */
  readonly idle: boolean;
}

/** Takes the builders' own lock first, so that nobody begins to build in it; then looks once more who uses it. */
export const removeEnvironmentScript = ({ workdir, key, id, dead, idle }: RemoveScript): string => `${LANGUAGE}
${POLITE}
cd ${shellQuote(workdir)} || exit 70
${HELPERS}
[ -d envs/${key} ] || { echo absent; exit 0; }
# A builder that has been silent for so long is taken over by any other.
[ -z "$(find envs/${key}/lock -prune -mmin +${silentMinutes} 2>/dev/null)" ] || { mv envs/${key}/lock tmp/GONE-${id}.lock && rm -rf tmp/GONE-${id}.lock; }
mkdir envs/${key}/lock || { echo "locked $(cat envs/${key}/lock/owner 2>/dev/null)"; exit 0; }
echo "being removed" >envs/${key}/lock/owner
${
  idle
    ? `if [ -n "$(find envs/${key}/complete -prune ! -mtime +0 2>/dev/null)" ]; then
  rm -rf envs/${key}/lock
  echo used
  exit 0
fi
`
    : ''
}# Not through a file, which a full disk would leave empty.
users=$(open_attempts ${key.slice(0, 24)} | while IFS= read -r line; do
  set -- $line
  case " ${dead.join(' ')} " in *" $2 "*) ;; *) echo "$line" ;; esac
done)
if [ -n "$users" ]; then
  rm -rf envs/${key}/lock
  printf '%s\\n' "$users"
  exit 0
fi
mkdir -p tmp
mv envs/${key} tmp/GONE-${id} || { rm -rf envs/${key}/lock; exit 71; }
# Some packages come with folders that not even their owner may write.
nice rm -rf tmp/GONE-${id} 2>/dev/null || { chmod -R u+rwx tmp/GONE-${id}; nice rm -rf tmp/GONE-${id}; } || exit 72
echo removed`;

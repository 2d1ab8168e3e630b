import { shellQuote } from '../base/shell-quote.ts';
import { FULL, HASH, LANGUAGE, SIGNALS } from './store-scripts.ts';

/**
 * A large file arrives in blocks, over several channels at once, in one file at their offsets: `tmp/PART-HASH.ID/data`, with an empty file
 * `b0`, `b1` … for each block that is there whole, and `pid.N` (the node's name in it) for each process that works on it, `gone.N` for one that did.
 */

/** dd counts in these; the last block is filled up to one, and cut at the end. */
export const UNIT = 64 * 1024;

export interface BlockPlace {
  readonly workdir: string;
  readonly group: boolean;
  readonly sha256: string;
  /** Of this upload. */
  readonly id: string;
  readonly size: number;
  /** A multiple of UNIT. */
  readonly blockSize: number;
}

const partOf = ({ sha256, id }: BlockPlace) => `tmp/PART-${sha256}.${id}`;

const begin = (place: BlockPlace) => `${LANGUAGE}
umask ${place.group ? '007' : '077'}
cd ${shellQuote(place.workdir)} || exit 70
part=${partOf(place)}
${FULL}`;

/** Whoever comes later sees that somebody works here, or did and was cut off: who has ended well leaves the rest to others of its upload. */
const sign = `work=$(pwd)
ended=
leave() {
  cd "$work" || return
  if [ -n "$ended" ]; then rm -f "$part/pid.$$"; else mv "$part/pid.$$" "$part/gone.$$" 2>/dev/null; fi
}
trap leave EXIT
${SIGNALS}
uname -n >"$part/pid.$$" || { full; exit 73; }`;

/**
 * Takes over what a dead upload of the same content left, by one rename that only one client can win, or begins anew. Prints `there N N …`, the
 * blocks that need not be sent. Not taken over: what another user or a process of another login node works on, or one of this node that still writes.
 */
export const claimScript = (place: BlockPlace, how: 'take-over' | 'anew'): string => `${begin(place)}
${HASH}
[ "$(printf abc | dd bs=2 count=1 iflag=fullblock 2>/dev/null)" = ab ] || exit 79
mkdir -p objects tmp || { full; exit 73; }
${how === 'anew' ? '' : takeOver(place)}
if [ -d "$part" ]; then
  rm -f "$part"/pid.* "$part"/gone.* "$part"/asked.* "$part/all"
  # It may have been about to get its name.
  [ ! -f "$part/data" ] || chmod u+w "$part/data"
  [ "$(cat "$part/blocks")" = ${place.blockSize} ] || rm -rf "$part"
fi
if [ ! -d "$part" ]; then
  mkdir "$part" && echo ${place.blockSize} >"$part/blocks" || { full; rm -rf "$part"; exit 73; }
fi
cd "$part" || exit 70
set -- b[0-9]*
[ -f "$1" ] || set --
free=$(available)
if [ $((${Math.ceil(place.size / 1024)} - $# * ${place.blockSize / 1024})) -gt "\${free:-0}" ] && [ -n "$free" ]; then
  full
  cd .. && rm -rf "\${part#tmp/}"
  exit 72
fi
echo "there $*"`;

/** A script and all that it has started: it need not be the first process of its group. */
const KILL = `end() {
  group=$(ps -o pgid= -p "$1" 2>/dev/null | tr -d ' ')
  kill -KILL "-\${group:-$1}" 2>/dev/null
}`;

const takeOver = (place: BlockPlace) => `${KILL}
args() { ps -o args= -p "$1" 2>/dev/null; }
dead() {
  set -- "$1" $(ls -lnd "$1")
  [ "\${4-}" = "$(id -u)" ] || return 1
  busy=
  died=
  for file in "$1"/pid.* "$1"/gone.*; do
    [ -f "$file" ] || continue
    case $file in */gone.*) died=yes; continue ;; esac
    [ "$(cat "$file")" = "$(uname -n)" ] || return 1
    pid=\${file##*.}
    kill -0 "$pid" 2>/dev/null || { died=yes; continue; }
    # A number that was given to another program since is nobody of ours.
    case $(args "$pid") in *PART-${place.sha256}*) busy="$busy $pid" ;; '') return 1 ;; *) died=yes ;; esac
  done
  [ -n "$busy" ] || [ -z "$died" ] || return 0
  # Somebody is about to begin, or the connection of who works here hangs: a client that lives writes.
  touch "$1/asked.${place.id}"
  sleep 12
  [ -d "$1" ] || return 1
  [ -z "$(find "$1" -newer "$1/asked.${place.id}" | head -n 1)" ] || { rm -f "$1/asked.${place.id}"; return 1; }
  for pid in $busy; do end "$pid"; done
  return 0
}
for old in tmp/PART-${place.sha256}.*; do
  if [ -d "$old" ] && dead "$old" && mv "$old" "$part" 2>/dev/null; then break; fi
done`;

/** Standard input: `INDEX UNITS` and a newline, then that many units; again and again, and `end` at the end. Prints `block INDEX` for what is on the disk. */
export const writeScript = (place: BlockPlace): string => `${begin(place)}
${sign}
while read -r index units; do
  if [ "$index" = end ]; then
    ended=yes
    exit 0
  fi
  said=$(dd of="$part/data" bs=${UNIT} seek=$((index * ${place.blockSize / UNIT})) count="$units" conv=notrunc iflag=fullblock 2>&1)
  case $said in
    "$units+0 records in"*"$units+0 records out"*) ;;
    *) printf '%s\\n' "$said" >&2; full; exit 73 ;;
  esac
  true >"$part/b$index" || { full; exit 73; }
  echo "block $index"
done
exit 0`;

/**
 * Standard input: the numbers of the blocks in order, each when it is on the disk, so that the hash is made while the next ones arrive, from what
 * can be read back. Prints `installed` or `wrong`; an input that ends early changes nothing.
 */
export const installScript = (place: BlockPlace): string => {
  const last = Math.ceil(place.size / place.blockSize) - 1;
  return `${begin(place)}
${HASH}
${sign}
got=$(while read -r index; do
  if [ "$index" -eq ${last} ]; then dd if=/dev/null of="$part/data" bs=1 seek=${place.size} 2>/dev/null && true >"$part/all"; fi
  dd if="$part/data" bs=${UNIT} skip=$((index * ${place.blockSize / UNIT})) count=${place.blockSize / UNIT} 2>/dev/null
  { true >"$part/beat"; } 2>/dev/null
done | $hash | cut -c 1-64)
[ -f "$part/all" ] || exit 75
if [ "$got" = ${place.sha256} ]; then
  object=objects/${place.sha256.slice(0, 2)}
  chmod 0444 "$part/data" && mkdir -p "$object" && mv -f "$part/data" "$object/${place.sha256.slice(2)}" || { full; exit 73; }
  touch -c "$object/${place.sha256.slice(2)}"
  echo installed
else
  echo wrong
fi
rm -rf "$part"
exit 0`;
};

/** Ends what still writes there, and takes it all away. */
export const dropScript = (place: BlockPlace): string => `${begin(place)}
${KILL}
for file in "$part"/pid.*; do [ ! -f "$file" ] || end "\${file##*.}"; done
rm -rf "$part"`;

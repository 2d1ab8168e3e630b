import { shellQuote } from '../base/shell-quote.ts';

/** What runs on the far side for run folders: POSIX sh, ls, cat, head, tail, wc, find. Frames begin with a token nobody can guess. */

/** A state file is a few lines; anything larger is damage. */
const stateBytes = 16_384;

const printState = (token: string, folder: string) =>
  `for f in ${folder}state/*; do
  [ -f "$f" ] || continue
  case $f in *.tmp) continue ;; esac
  printf '\\n%s file %s\\n' ${token} "$f"
  head -c ${stateBytes} "$f"
done`;

export const lookScript = (run: string, token: string): string => `
cd ${shellQuote(run)} 2>/dev/null || { printf '%s none\\n' ${token}; exit 0; }
printf '%s now %s\\n' ${token} "$(date +%s)"
for d in [0-9]*; do
  [ -d "$d" ] || continue
  printf '\\n%s attempt %s\\n' ${token} "$d"
  ${printState(token, '"$d"/')}
done
printf '\\n%s end\\n' ${token}`;

export const prepareScript = (run: string, incoming: string, umask: string): string => `
umask ${umask}
mkdir -p ${shellQuote(run)} && mkdir ${shellQuote(incoming)}`;

export const writeScript = (folder: string, umask: string): string => `
umask ${umask}
cd ${shellQuote(folder)} && tar -xmf -`;

export interface SubmitScript {
  readonly run: string;
  readonly incoming: string;
  readonly attempt: number;
  readonly name: string;
  readonly umask: string;
  readonly token: string;
  /** Prints the job's id on its last line, or exits non-zero. */
  readonly submit: string;
}

/**
 * mkdir is the claim: it works for exactly one client. While the script lives it says so every few seconds, so that a second client
 * can tell a slow submission from a dead one. It ignores a lost connection: what has begun is finished and written down.
 */
export const submitScript = ({ run, incoming, attempt, name, umask, token, submit }: SubmitScript): string => `
trap '' HUP PIPE
umask ${umask}
cd ${shellQuote(run)} || exit 70
mkdir ${attempt} 2>/dev/null || { if [ -d ${attempt} ]; then printf '%s claimed\\n' ${token}; exit 0; fi; mkdir ${attempt}; exit 70; }
mkdir ${attempt}/state || exit 70
alive() { date +%s >${attempt}/state/claimed.tmp && mv -f ${attempt}/state/claimed.tmp ${attempt}/state/claimed; }
alive || exit 70
self=$$
(while kill -0 $self 2>/dev/null && [ -d ${attempt}/state ]; do sleep 5; alive 2>/dev/null; done) </dev/null >/dev/null 2>&1 &
beat=$!
mv ${shellQuote(incoming)}/* ${attempt}/ && rmdir ${shellQuote(incoming)} || { kill $beat; exit 70; }
at=$(date +%s)
exec 3>&1
said=$( {
${submit}
} 2>${attempt}/state/submit-words )
code=$?
kill $beat 2>/dev/null
id=$(printf '%s\\n' "$said" | sed -n '$p')
if [ -n "$id" ] && [ $code -eq 0 ]; then
  printf 'version=1\\nid=%s\\nat=%s\\nname=%s\\n' "$id" "$at" ${shellQuote(name)} >${attempt}/state/submitted.tmp &&
    mv -f ${attempt}/state/submitted.tmp ${attempt}/state/submitted
  printf '%s submitted %s %s\\n' ${token} "$at" "$id"
  exit 0
fi
printf '%s refused %s\\n' ${token} "$code"
cat ${attempt}/state/submit-words
[ $code -eq 75 ] || rm -rf ${attempt}
exit 0`;

export const adoptScript = (folder: string, id: string, at: number, name: string): string => `
cd ${shellQuote(folder)} || exit 70
printf 'version=1\\nid=%s\\nat=%s\\nname=%s\\n' ${shellQuote(id)} ${at} ${shellQuote(name)} >state/submitted.adopt &&
  mv -f state/submitted.adopt state/submitted`;

/**
 * One loop on the far side, two small processes a second: ls shows whether anything has changed. It says something every five seconds,
 * so that it dies with its connection, and ends by itself after ten minutes.
 */
export const watchScript = (folder: string, token: string, logFrom: number): string => `
cd ${shellQuote(folder)} || exit 70
from=${logFrom}
seen=
beats=0
while [ $beats -lt 600 ]; do
  ended=
  [ ! -f state/end ] || ended=yes
  look=$(ls -lnd state/* log 2>/dev/null)
  if [ "$look" != "$seen" ]; then
    seen=$look
    if [ -f log ]; then
      size=$(wc -c <log | tr -d ' ')
      [ "$size" -ge "$from" ] || from=0
      if [ "$size" -gt "$from" ]; then
        # At most 64 KiB at a time: of a flood the end is what matters.
        [ $((size - from)) -le 65536 ] || from=$((size - 65536))
        printf '\\n%s log %s\\n' ${token} "$size"
        tail -c +$((from + 1)) log | head -c $((size - from))
        from=$size
      fi
    fi
    ${printState(token, '')}
    printf '\\n%s end\\n' ${token} || exit 1
  elif [ $((beats % 5)) -eq 0 ]; then
    printf '\\n%s beat\\n' ${token} || exit 1
  fi
  [ -z "$ended" ] || exit 0
  sleep 1
  beats=$((beats + 1))
done`;

/** Binary contents by their size. Names are ours: state files and results. */
export const collectScript = (folder: string, token: string, largest: number): string => `
cd ${shellQuote(folder)} || exit 70
find state result -type f ! -name '*.tmp' 2>/dev/null | while IFS= read -r f; do
  size=$(wc -c <"$f" | tr -d ' ')
  if [ "$size" -gt ${largest} ]; then printf '%s left %s %s\\n' ${token} "$size" "$f"; continue; fi
  printf '%s file %s %s\\n' ${token} "$size" "$f"
  head -c "$size" "$f"
  echo
done
if [ -f log ]; then
  size=$(tail -c 65536 log | wc -c | tr -d ' ')
  printf '%s log %s log\\n' ${token} "$size"
  tail -c 65536 log | head -c "$size"
  echo
fi
printf '%s end 0 end\\n' ${token}`;

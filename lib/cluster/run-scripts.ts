import { shellQuote } from '../base/shell-quote.ts';
import { writeTasks } from './array-tasks.ts';
import type { ArrayAttempt } from './run-types.ts';

/** What runs on the far side for run folders: POSIX sh, ls, cat, head, tail, wc, find. Frames begin with a token nobody can guess. */

/** A state file is a few lines; anything larger is damage. */
const stateBytes = 16_384;
/** Of the log at its end, for the report. */
const logBytes = 65_536;

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
  [ -f "$d/state/claimed" ] || [ -n "$(find "$d" -prune -mmin +1)" ] || printf '\\n%s fresh %s\\n' ${token} "$d"
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
  readonly array?: ArrayAttempt;
}

/**
 * What an array's attempt has besides, before there is a job: which tasks are its own, a folder for each of them with what only its job may
 * read, and the folders of those whose results stand. The folder of the attempt is the current one.
 */
const arrayFolders = ({ tasks, taken }: ArrayAttempt): string => `
mkdir -p tasks && printf '%s\\n' ${writeTasks(tasks)} >state/array || exit 1
for k in ${tasks.join(' ')}; do
  mkdir -p tasks/$k/in && { [ ! -f in/secrets ] || cp -p in/secrets tasks/$k/in/secrets; } || exit 1
done
rm -f in/secrets
for k in ${taken?.tasks.join(' ') ?? ''}; do
  ln -s ../../${taken?.from}/tasks/$k tasks/$k || exit 1
done`;

/**
 * mkdir is the claim: it works for exactly one client. While the script lives it says so every few seconds, so that a second client
 * can tell a slow submission from a dead one. What has begun is finished and written down, whatever becomes of the connection.
 */
export const submitScript = ({ run, incoming, attempt, name, umask, token, submit, array }: SubmitScript): string => `
trap '' HUP PIPE TERM INT
umask ${umask}
cd ${shellQuote(run)} || exit 70
mkdir ${attempt} 2>/dev/null || { if [ -d ${attempt} ]; then printf '%s claimed\\n' ${token}; exit 0; fi; mkdir ${attempt}; exit 70; }
beat=
stop() { [ -z "$beat" ] || kill -KILL $beat 2>/dev/null; }
# In one step, since another client may look at any time.
undo() { stop; mv ${attempt} ${shellQuote(incoming)}.undone && rm -rf ${shellQuote(incoming)}.undone; }
alive() { date +%s >${attempt}/state/claimed.tmp && mv -f ${attempt}/state/claimed.tmp ${attempt}/state/claimed; }
mkdir ${attempt}/state && alive && mv ${shellQuote(incoming)}/* ${attempt}/ && rmdir ${shellQuote(incoming)} || { undo; exit 70; }
${array === undefined ? '' : `(cd ${attempt} || exit 1${arrayFolders(array)}\n) || { undo; exit 70; }`}
self=$$
(beats=0; while [ $beats -lt 200 ] && sleep 5 && kill -0 $self && [ -d ${attempt}/state ]; do alive; beats=$((beats + 1)); done) </dev/null >/dev/null 2>&1 &
beat=$!
# A client that lost patience with this one has made it impossible for a job to begin here.
if [ -f ${attempt}/state/begun ]; then stop; printf '%s claimed\\n' ${token}; exit 0; fi
at=$(date +%s)
said=$( {
${submit}
} 2>${attempt}/state/submit-words )
code=$?
stop
id=$(printf '%s\\n' "$said" | sed -n '$p')
if [ -n "$id" ] && [ $code -eq 0 ]; then
  printf 'version=1\\nid=%s\\nat=%s\\nname=%s\\n' "$id" "$at" ${shellQuote(name)} >${attempt}/state/submitted.tmp &&
    mv -f ${attempt}/state/submitted.tmp ${attempt}/state/submitted
  printf '%s submitted %s %s\\n' ${token} "$at" "$id"
  exit 0
fi
printf '%s refused %s\\n' ${token} "$code"
cat ${attempt}/state/submit-words
[ $code -eq 75 ] || undo
exit 0`;

/**
 * The same race that job.sh runs: `state/begun` is made by exactly one, complete from its first moment. ln is that on every file system
 * with hard links, the shell's noclobber elsewhere.
 */
export const abandonScript = (folder: string, umask: string, token: string): string => `
umask ${umask}
cd ${shellQuote(folder)} 2>/dev/null || { [ -d ${shellQuote(folder)} ] || exit 71; cd ${shellQuote(folder)}; exit 70; }
[ -d state ] || mkdir state || exit 70
mine=state/begun.${token}.tmp
printf 'abandoned at=%s\\n' "$(date +%s)" >"$mine" || exit 70
ln "$mine" state/begun 2>/dev/null || (set -C; cat "$mine" >state/begun) 2>/dev/null
[ -f state/begun ] || { ln "$mine" state/begun; rm -f "$mine"; exit 70; }
rm -f "$mine"
printf '%s ' ${token}
cat state/begun`;

export const adoptScript = (folder: string, id: string, at: number, name: string): string => `
cd ${shellQuote(folder)} || exit 70
printf 'version=1\\nid=%s\\nat=%s\\nname=%s\\n' ${shellQuote(id)} ${at} ${shellQuote(name)} >state/submitted.$$.tmp &&
  mv -f state/submitted.$$.tmp state/submitted`;

/**
 * One loop on the far side, three small processes a second: ls shows whether anything has changed (with inodes: a state that is written anew may be
 * as long as before, and of the same minute), and the shell itself looks for the last word
 * in between. It says something every five seconds, so that it dies with its connection, and ends by itself after ten minutes. A folder
 * that is not there may be on its way (NFS). `once` is one pass of it.
 */
export const watchScript = (folder: string, token: string, logFrom: number, how: 'loop' | 'once'): string => `
from=${logFrom}
seen=
beats=0
# Not every sleep knows fractions.
half=yes
while [ $beats -lt ${how === 'once' ? 1 : 600} ]; do
  ended=
  look=
  if cd ${shellQuote(folder)} 2>/dev/null; then
    [ ! -f state/end ] || ended=yes
    look=$(ls -ilnd state/* log 2>/dev/null)
  fi
  if [ "$look" != "$seen" ]; then
    seen=$look
    if [ -f log ]; then
      size=$(wc -c <log | tr -d ' ')
      [ "$size" -ge "$from" ] || from=0
      if [ "$size" -gt "$from" ]; then
        # At most 64 KiB at a time: of a flood the end is what matters.
        left=0
        [ $((size - from)) -le 65536 ] || { left=$((size - 65536 - from)); from=$((size - 65536)); }
        printf '\\n%s log %s %s\\n' ${token} "$size" "$left"
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
  ${how === 'once' ? 'exit 0' : ''}
  if [ -n "$half" ] && sleep 0.5 2>/dev/null; then
    [ -f state/end ] || sleep 0.5
  else
    half=
    sleep 1
  fi
  beats=$((beats + 1))
done`;

/** Each task of an array has a log of its own, in the order of their numbers. */
const arrayLog = (cat: string): string => `
k=1
while [ -d tasks/$k ]; do
  if [ -f tasks/$k/log ]; then
    printf 'mlops: the log of task %s:\\n' $k
    ${cat} tasks/$k/log
  fi
  k=$((k + 1))
done`;

export const readLogScript = (folder: string): string => `
cd ${shellQuote(folder)} || exit 70
if [ -f state/array ]; then${arrayLog('cat')}
elif [ -f log ]; then cat log; fi`;

/** While papermill works, its notebook is the hidden one beside where the finished one will be. */
export const newestNotebookScript = (folder: string, token: string, largest: number): string => `
cd ${shellQuote(folder)} || exit 70
find out/notebooks tasks/*/out/notebooks -type f -name '*.ipynb' 2>/dev/null | {
  newest= count=0
  while IFS= read -r f; do
    count=$((count + 1))
    if [ -z "$newest" ] || [ "$f" -nt "$newest" ]; then newest=$f; fi
  done
  if [ -z "$newest" ]; then printf '%s none\\n' ${token}; exit 0; fi
  size=$(wc -c <"$newest" | tr -d ' ')
  if [ "$size" -gt ${largest} ]; then printf '%s large %s %s %s\\n' ${token} $count "$size" "$newest"; exit 0; fi
  printf '%s notebook %s %s %s\\n' ${token} $count "$size" "$newest"
  head -c "$size" "$newest"
}`;

/** Binary contents by their size. Names are ours: state files and results. */
export const collectScript = (folder: string, token: string, largest: number): string => `
cd ${shellQuote(folder)} || exit 70
find state result tasks/*/state tasks/*/result -type f ! -name '*.tmp' 2>/dev/null | while IFS= read -r f; do
  size=$(wc -c <"$f" | tr -d ' ')
  if [ "$size" -gt ${largest} ]; then printf '%s left %s %s\\n' ${token} "$size" "$f"; continue; fi
  printf '%s file %s %s\\n' ${token} "$size" "$f"
  head -c "$size" "$f"
  echo
done
if [ -f state/array ]; then
  words=$(${arrayLog('tail -c 4096')}
  )
  size=$(printf '%s\\n' "$words" | tail -c ${logBytes} | wc -c | tr -d ' ')
  printf '%s log %s log\\n' ${token} "$size"
  printf '%s\\n' "$words" | tail -c ${logBytes}
  echo
elif [ -f log ]; then
  size=$(tail -c ${logBytes} log | wc -c | tr -d ' ')
  printf '%s log %s log\\n' ${token} "$size"
  tail -c ${logBytes} log | head -c "$size"
  echo
fi
printf '%s end 0 end\\n' ${token}`;

import { asSha256, type Sha256 } from '../base/ids.ts';
import { shellExpanded, shellQuote } from '../base/shell-quote.ts';
import { listingFunctions } from './file-listing.ts';
import { fields } from './site-probe.ts';

export interface PinRequest {
  /** Where the data is; may begin with a variable. */
  readonly cluster: string;
  readonly how: 'stat' | 'content';
  /** A folder of this call alone, which exists. With `content`, the file `content` in it has the hashes afterwards. */
  readonly folder: string;
  readonly workdir: string;
  readonly group: boolean;
  /** More files than this are not looked at here: the answer is `big` then. */
  readonly mostFiles?: number;
}

export type PinAnswer =
  | { readonly state: 'done'; readonly files: number; readonly bytes: number; readonly listing: Sha256 }
  | { readonly state: 'gone' | 'empty' | 'big' | 'changing'; readonly words: string }
  | { readonly state: 'unlistable' | 'unreadable' | 'not-kept'; readonly words: string };

/** Lists the data where it is, hashes its content if asked to, and leaves the listing in `pins/`, where jobs find it. */
export const pinScript = (request: PinRequest): string => {
  const { cluster, how, folder, workdir, group, mostFiles } = request;
  return `LC_ALL=C; export LC_ALL
umask ${group ? '007' : '077'}
here=${shellQuote(folder)}
path=${shellExpanded(cluster)}
say_words() { sed 's/^/words=/' "$here/words"; }
if [ ! -e "$path" ]; then echo state=gone; exit 0; fi
${listingFunctions}
${
  mostFiles === undefined
    ? ''
    : `if [ -d "$path" ] && [ "$(find -L "$path" 2>/dev/null | sed ${mostFiles + 1}q | wc -l)" -gt ${mostFiles} ]; then echo state=big; exit 0; fi`
}
if ! list_files "$path" "$here/listing" 2>"$here/words"; then echo state=unlistable; say_words; exit 0; fi
if [ ! -s "$here/listing" ]; then echo state=empty; exit 0; fi
${how === 'content' ? contentLines : ''}
hash=$(listed_hash "$here/listing")
echo "files=$(wc -l <"$here/listing" | tr -d ' ')"
awk '{ bytes += $1 } END { printf "bytes=%.0f\\n", bytes }' "$here/listing"
echo "listing=$hash"
if mkdir -p ${shellQuote(`${workdir}/pins`)} 2>"$here/words" && mv -f "$here/listing" ${shellQuote(`${workdir}/pins`)}/"$hash" 2>>"$here/words"
then echo state=done; else echo state=not-kept; say_words; fi`;
};

// Each process writes a file of its own: what several write into one pipe may be mixed.
const contentLines = `mkdir -p "$here/sums"
workers=\${SLURM_CPUS_PER_TASK:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)}
if command -v sha256sum >/dev/null 2>&1; then sum=sha256sum; else sum='openssl dgst -sha256 -r'; fi
if [ -d "$path" ]; then
  (cd "$path" && each_file -type f -print0 | xargs -0 -P "$workers" -n 64 sh -c 'sums=$1 sum=$2; shift 2; $sum "$@" >>"$sums/$$"' sh "$here/sums" "$sum") 2>"$here/words"
else
  $sum <"$path" 2>"$here/words" | sed 's/^\\([0-9a-f]\\{64\\}\\).*/\\1  ./' >"$here/sums/one"
fi
cat "$here"/sums/* >"$here/content"
if [ -s "$here/words" ] || [ "$(wc -l <"$here/content")" -ne "$(wc -l <"$here/listing")" ]; then echo state=unreadable; say_words; exit 0; fi
if ! list_files "$path" "$here/again" 2>"$here/words" || ! cmp -s "$here/listing" "$here/again"; then echo state=changing; say_words; exit 0; fi`;

/** Undefined: not an answer of ours. */
export function parsePin(text: string): PinAnswer | undefined {
  const { one, all } = fields(text);
  const state = one('state');
  const words = all('words').join('\n').trim();
  switch (state) {
    case 'done':
      return { state, files: Number(one('files')), bytes: Number(one('bytes')), listing: asSha256(one('listing')) };
    case 'gone':
    case 'empty':
    case 'big':
    case 'changing':
    case 'unlistable':
    case 'unreadable':
    case 'not-kept':
      return { state, words };
    default:
      return undefined;
  }
}

/** Lines of `sha256sum` or `openssl dgst -r` by path under `as`. sha256sum begins a line with `\` whose name it has escaped. */
export function parseContent(text: string, as: string): ReadonlyMap<string, Sha256> {
  const files = new Map<string, Sha256>();
  for (const line of text.split('\n')) {
    const match = /^(\\?)([0-9a-f]{64}) [ *](.*)$/.exec(line);
    if (match === null) continue;
    const [, escaped, hash = '', written = ''] = match;
    const name =
      escaped === '' ? written : written.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
    files.set(name === '.' ? as : `${as}/${name.replace(/^\.\//, '')}`, asSha256(hash));
  }
  return files;
}

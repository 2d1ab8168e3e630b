/**
 * Headers of tar archives in the pax format (POSIX.1-2001), which GNU tar, bsdtar and busybox read. Only what we send: files,
 * symbolic links, hard links. Names are bytes: git's paths need not be UTF-8, and GNU tar takes pax values as they are.
 */
export type TarEntry =
  | { readonly kind: 'file'; readonly name: Uint8Array; readonly size: number; readonly mode?: number }
  | { readonly kind: 'symlink' | 'hardlink'; readonly name: Uint8Array; readonly target: Uint8Array };

const BLOCK = 512;
const TYPE = { file: '0', hardlink: '1', symlink: '2' } as const;
/** The size field is eleven octal digits. */
const LARGEST_USTAR_SIZE = 0o77777777777;

export function tarHeader(entry: TarEntry): Buffer {
  const target = entry.kind === 'file' ? new Uint8Array(0) : entry.target;
  const size = entry.kind === 'file' ? entry.size : 0;
  const records = [
    ...(entry.name.length > 100 ? [paxRecord('path', entry.name)] : []),
    ...(target.length > 100 ? [paxRecord('linkpath', target)] : []),
    ...(size > LARGEST_USTAR_SIZE ? [paxRecord('size', Buffer.from(String(size)))] : []),
  ];
  const mode = (entry.kind === 'file' ? entry.mode : undefined) ?? 0o644;
  const own = block(entry.name, TYPE[entry.kind], Math.min(size, LARGEST_USTAR_SIZE), target, mode);
  if (records.length === 0) return own;
  const pax = Buffer.concat(records);
  return Buffer.concat([
    block(Buffer.from('pax'), 'x', pax.length, new Uint8Array(0)),
    pax,
    tarPadding(pax.length),
    own,
  ]);
}

/** What follows content of that length. */
export const tarPadding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
/** Without it an archive is cut off, whether or not tar says so. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * BLOCK);

function block(name: Uint8Array, type: string, size: number, target: Uint8Array, mode = 0o644): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.set(name.subarray(0, 100), 0);
  header.write(`${mode.toString(8).padStart(7, '0')}\0${'0000000\0'.repeat(2)}`, 100, 'latin1');
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write(`${'0'.repeat(11)}\0`, 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write(type, 156, 'latin1');
  header.set(target.subarray(0, 100), 157);
  header.write('ustar\x0000', 257, 'latin1');
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** `LENGTH key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: Uint8Array): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length > length) length += 1;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')]);
}

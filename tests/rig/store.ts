import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { asSha256 } from '../../lib/base/ids.ts';
import type { Host } from '../../lib/cluster/host.ts';
import { openSsh2Host } from '../../lib/cluster/ssh2-host.ts';
import type { Source, TreeEntry } from '../../lib/cluster/store-types.ts';
import type { Requirement } from './requirements.ts';
import type { Sshd } from './sshd.ts';

export const sha256 = (data: string | Uint8Array) => asSha256(createHash('sha256').update(data).digest('hex'));
export function source(text: string | Buffer): Source & { open: () => Readable } {
  const data = Buffer.from(text);
  return { sha256: sha256(data), size: data.length, open: () => Readable.from(data.length === 0 ? [] : [data]) };
}
export const file = (path: string | Uint8Array, content: string, executable = false): TreeEntry => ({
  kind: 'file',
  path,
  sha256: sha256(content),
  executable,
});

export interface OpenHost extends AsyncDisposable {
  readonly host: Host;
}
export interface Folder extends AsyncDisposable {
  readonly path: string;
}

export async function openOverSsh(sshd: Sshd): Promise<OpenHost> {
  const opened = await openSsh2Host('cluster', { env: sshd.env });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  const host = opened.value;
  return { host, [Symbol.asyncDispose]: () => host.close() };
}

export async function workFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'mlops-work-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A file system of its own, so small that it fills up. */
export async function smallDisk(size: string): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'mlops-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', path]);
  await chmod(path, 0o700);
  return {
    path,
    async [Symbol.asyncDispose]() {
      execFileSync('umount', ['-l', path]);
      await rm(path, { recursive: true });
    },
  };
}

export const mounts: Requirement = {
  name: 'mount',
  missing() {
    if (process.getuid?.() !== 0) return 'only root can mount a small file system';
    try {
      execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'pipe' });
      return undefined;
    } catch (error) {
      return `tmpfs cannot be mounted here: ${String(error).split('\n')[0]}`;
    }
  },
};

/** Content that comes in pieces with a turn of the event loop between them, so that something can happen meanwhile. */
export function slow(data: Buffer): Source {
  const pieces = function* () {
    for (let at = 0; at < data.length; at += 500_000) yield data.subarray(at, at + 500_000);
  };
  return { sha256: sha256(data), size: data.length, open: () => Readable.from(pieces()) };
}

export const ls = (path: string): string => execFileSync('ls', ['-A', path], { encoding: 'utf8' });

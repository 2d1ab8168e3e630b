import type { Readable } from 'node:stream';
import type { Sha256 } from '../base/ids.ts';
import type { Result } from '../base/result.ts';
import type { HostError } from './host.ts';

export interface Content {
  readonly sha256: Sha256;
  /** Bytes. */
  readonly size: number;
}
/** Content that is on this machine: in a file, or wherever a stream comes from. */
export type Source = FileSource | (Content & { readonly open: () => Readable });
export type FileSource = Content & { readonly file: string };

/** A path inside a tree: bytes where they are not UTF-8. */
export type TreePath = string | Uint8Array;
export type TreeEntry =
  | {
      readonly kind: 'file';
      readonly path: TreePath;
      readonly sha256: Sha256;
      readonly executable: boolean;
      /** In place of the tree's `as`. */
      readonly as?: 'copy' | 'link';
    }
  | { readonly kind: 'symlink'; readonly path: TreePath; readonly target: TreePath };

export interface TransferOptions {
  readonly signal?: AbortSignal;
  /** Bytes of content sent or received so far; what a lost upload had brought counts as sent. */
  readonly onProgress?: (bytes: number) => void;
}
export interface PutOptions extends TransferOptions {
  /** Bytes of all sources, where they come one by one: a disk that is too small for them is found before anything is sent. */
  readonly total?: number;
}
export interface Put {
  readonly files: number;
  /** Bytes of content that were sent. */
  readonly bytes: number;
  /** Bytes that an upload before this one had brought, and that were not sent again. */
  readonly resumed: number;
}

export interface Materialise {
  readonly tree: readonly TreeEntry[];
  /** An absolute folder on the host that is not there yet. */
  readonly into: string;
  /** `copy`: private and writable. `link`: read-only, sharing the store's content (executable files are copied). */
  readonly as: 'copy' | 'link';
  readonly signal?: AbortSignal;
}

/** A folder of a tree in which there is nothing but links to content. */
export interface SharedFolder {
  /** In the tree. */
  readonly path: string;
  /** Of the names and contents. */
  readonly key: string;
  /** With paths from the folder. */
  readonly files: readonly SharedFile[];
}
export type SharedFile = Omit<TreeEntry & { readonly kind: 'file' }, 'path'> & { readonly path: string };

/** Content by SHA-256 under a folder of a host: `objects/ab/cdef…`, read-only. */
export interface ContentStore {
  readonly workdir: string;
  /** What the store lacks of these, in one round trip; an object of another size counts as missing. */
  missing(contents: readonly Content[], signal?: AbortSignal): Promise<Result<readonly Sha256[], StoreError>>;
  /**
   * Sends small content as one stream, and large files in blocks over several channels. What arrived whole stays, whatever happens
   * to the rest; blocks of a large file stay for the next try, until gc sweeps them.
   */
  put(sources: Iterable<Source> | AsyncIterable<Source>, options?: PutOptions): Promise<Result<Put, StoreError>>;
  /** Into a file of this machine, which appears only when the content is right. */
  download(
    sha256: Sha256,
    file: string,
    options?: TransferOptions,
  ): Promise<Result<{ readonly bytes: number }, StoreError>>;
  /** Builds a folder of objects; it appears whole or not at all. */
  materialise(request: Materialise): Promise<Result<void, StoreError>>;
  /** Which of these folders are there and whole, by their keys: where. In one round trip, with no look at single files but once a day. */
  findShared(
    folders: readonly SharedFolder[],
    signal?: AbortSignal,
  ): Promise<Result<ReadonlyMap<string, string>, StoreError>>;
  /** Makes a read-only folder with that content, for all that want it: gives its path. */
  share(folder: SharedFolder, signal?: AbortSignal): Promise<Result<string, StoreError>>;
}

export type StoreError =
  | { readonly reason: 'host'; readonly cause: HostError }
  | {
      readonly reason: 'disk-full';
      readonly path: string;
      /** Bytes that were to be written, if that was known. */
      readonly needed?: number;
      /** Bytes free there (df); a quota may be smaller. */
      readonly available?: number;
      readonly detail: string;
    }
  /** What was read here is not what was hashed before. */
  | { readonly reason: 'source-changed'; readonly sha256s: readonly Sha256[] }
  | { readonly reason: 'source-unreadable'; readonly sha256: Sha256; readonly detail: string }
  /** The store lacks these objects (any more). */
  | { readonly reason: 'missing'; readonly sha256s: readonly Sha256[] }
  /** The object in the store is not what its name says. */
  | { readonly reason: 'corrupt'; readonly sha256: Sha256 }
  | {
      readonly reason: 'unsafe-path';
      readonly path: string;
      readonly why: 'absolute' | 'outside' | 'nul' | 'empty' | 'conflict';
    }
  | { readonly reason: 'exists'; readonly path: string }
  /** Neither of these programs is there. */
  | { readonly reason: 'no-program'; readonly programs: readonly string[] }
  /** A command of ours did not work; its own words. */
  | {
      readonly reason: 'failed';
      readonly what: 'list' | 'upload' | 'build' | 'download';
      readonly code: number;
      readonly stderr: string;
    }
  /** A file of this machine could not be written. */
  | { readonly reason: 'local'; readonly path: string; readonly detail: string };

import { randomBytes } from 'node:crypto';
import { ok, type Result } from '../base/result.ts';
import { claimScript } from './block-scripts.ts';
import { type BlockOptions, type BlocksSent, type Claimed, sendBlocks } from './block-send.ts';
import type { Host } from './host.ts';
import { hostFailure, scriptFailure } from './store-failure.ts';
import type { FileSource, StoreError } from './store-types.ts';

/**
 * One file, in blocks over several channels. What is there after a lost connection is not sent again. `no-blocks`: the dd over there
 * cannot count the bytes of a pipe.
 */
export async function uploadBlocks(
  host: Host,
  source: FileSource,
  options: BlockOptions,
): Promise<Result<BlocksSent | 'no-blocks', StoreError>> {
  const first = await claim(host, source, options, 'take-over');
  if (!first.ok) return first;
  if (first.value === 'no-blocks') return ok('no-blocks');
  const done = await sendBlocks(host, source, first.value, options);
  const resumed = first.value.there.length > 0;
  if (done.ok || done.error.reason !== 'source-changed' || !resumed) return done;
  // What was there may be the damage: once more, believing nothing.
  const second = await claim(host, source, options, 'anew');
  if (!second.ok) return second;
  if (second.value === 'no-blocks') return ok('no-blocks');
  return sendBlocks(host, source, second.value, options);
}

async function claim(
  host: Host,
  source: FileSource,
  { workdir, group, blockSize, signal }: BlockOptions,
  how: 'take-over' | 'anew',
): Promise<Result<Claimed | 'no-blocks', StoreError>> {
  const { sha256, size } = source;
  const place = { workdir, group, sha256, size, blockSize, id: randomBytes(8).toString('hex') };
  const asked = await host.exec(claimScript(place, how), {
    timeoutSeconds: 180,
    ...(signal === undefined ? {} : { signal }),
  });
  if (!asked.ok) return hostFailure(asked.error);
  if (asked.value.code === 79) return ok('no-blocks');
  if (asked.value.code !== 0) return scriptFailure('upload', workdir, asked.value, size);
  const [, names = ''] = /^there (.*)$/m.exec(asked.value.stdout) ?? [];
  const there = [...names.matchAll(/\bb(\d+)\b/g)].map(([, index]) => Number(index));
  return ok({ place, there });
}

import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { temporaryRepository } from '../rig/repository.ts';

describe('the temporary repository of the tests', () => {
  test('is taken away with its clones at the end, whatever its name', async () => {
    let root = '';
    {
      await using repository = await temporaryRepository({ name: 'a "quoted" näme\nwith a newline' });
      root = repository.root;
      await repository.write('folder/file.txt', 'content');
      const commit = await repository.commit();
      const clone = await repository.clone();
      expect(await clone.git('rev-parse', 'HEAD')).toBe(commit);
      expect(await clone.read('folder/file.txt')).toBe('content');
    }
    expect(existsSync(root)).toBe(false);
  });

  test('pushes to a bare remote in its own object format', async () => {
    await using repository = await temporaryRepository({ objectFormat: 'sha256' });
    const commit = await repository.commit();
    const remote = await repository.remote();
    await repository.git('push', '--quiet', 'origin', 'main');
    expect(await repository.git('-C', remote, 'rev-parse', 'main')).toBe(commit);
    expect(commit).toHaveLength(64);
  });
});

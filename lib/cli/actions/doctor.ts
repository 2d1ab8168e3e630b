import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { doctor } from '../../commands/doctor.ts';
import { configPath } from '../../gate/pipeline.ts';
import { readShims } from '../../git/hooks-install.ts';
import type { App } from '../app.ts';
import { cacheFolder, openHost, openScheduler } from '../places.ts';
import { doctorEnd, findingLines } from '../screens/doctor.ts';
import { lead } from '../screens/layout.ts';
import type { Setting } from '../screens/setting.ts';
import { inRepository } from '../session.ts';
import { styleFor } from '../style.ts';

/** `mlops doctor [--job]`: the findings are what was asked for, and so on standard output. 1 if there is a problem. */
export async function doctorCommand(app: App, flags: { readonly job?: boolean }): Promise<number> {
  return inRepository(app, { again: 'mlops doctor' }, async ({ repo, setting }) => {
    let seen: Setting = { ...setting, style: await styleFor(app.out, app.env) };
    const print = (lines: readonly string[]) => lines.map((line) => app.out.write(`${line}\n`));
    print([lead(`doctor for ${join(repo.top ?? repo.gitDir, configPath)}`)]);
    const counts = await doctor(
      {
        repo,
        hooks: {
          program: { node: app.node, program: app.program },
          shims: await readShims(join(app.home, 'hooks')),
          home: app.env.HOME,
        },
        openHost: ({ cluster }) => openHost(app, cluster, app.signal),
        schedulerFor: ({ cluster }, host, workdir) => openScheduler(app, cluster, host, workdir),
        localWorkdir: cacheFolder(app.env),
        job: flags.job === true,
        now: app.now,
        signal: app.signal,
        token: randomBytes(6).toString('hex'),
      },
      (finding) => {
        // From here on the findings know which line of the config they are about.
        if (finding.reason === 'config') seen = { ...seen, locate: finding.loaded.locate };
        print(findingLines(finding, seen));
      },
    );
    print([doctorEnd(counts, seen)]);
    return counts.problem > 0 ? 1 : 0;
  });
}

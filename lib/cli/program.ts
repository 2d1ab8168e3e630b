import { Command, CommanderError, Option } from 'commander';
import type { DiffFlags } from './actions/diff.ts';
import type { GcFlags } from './actions/gc.ts';
import type { LogFlags } from './actions/log.ts';
import type { LogsFlags } from './actions/logs.ts';
import type { ReproduceFlags } from './actions/reproduce.ts';
import type { ShowFlags } from './actions/show.ts';
import type { App } from './app.ts';
import { toolOf } from './context.ts';

/** The command line: each verb is loaded when it is called. */
export async function runProgram(app: App, argv: readonly string[]): Promise<number> {
  let code = 0;
  const does =
    <Args extends readonly unknown[]>(action: (...args: Args) => Promise<number>) =>
    async (...args: Args): Promise<void> => {
      code = await action(...args);
    };
  const program = new Command('mlops')
    .description('Continuous integration for machine learning where all there is is a Slurm account.')
    .version(toolOf(app), '-V, --version')
    .showHelpAfterError('(mlops --help lists the commands)')
    .exitOverride()
    .enablePositionalOptions()
    .configureHelp({ sortSubcommands: false });

  program
    .command('init')
    .description('set this repository up: config, hooks, the display of verdicts')
    .option('-y, --yes', 'ask nothing')
    .action(does(async () => (await import('./actions/init.ts')).initCommand(app)));
  program
    .command('push')
    .description('judge what would be pushed, without an open connection, and then push')
    .argument('[args...]', 'as for git push')
    .allowUnknownOption()
    .helpOption('-h, --help')
    .passThroughOptions()
    .action(does(async (args: string[]) => (await import('./actions/push.ts')).push(app, args)));
  program
    .command('run')
    .description('judge a commit as a push would, without pushing')
    .argument('[commit]', 'HEAD where none is given')
    .option('--again', 'run it once more, although the verdict is known')
    .option('--detach', 'submit, and do not wait')
    .addOption(
      new Option('--more-seeds', 'add the seeds that `more` declares, where the verdict is undecided').conflicts([
        'again',
        'detach',
      ]),
    )
    .action(
      does(async (commit: string | undefined, flags: { again?: boolean; detach?: boolean; moreSeeds?: boolean }) =>
        (await import('./actions/run.ts')).runCommand(app, commit, flags),
      ),
    );
  program
    .command('status')
    .description('what is checked out, and what goes on')
    .action(does(async () => (await import('./actions/status.ts')).statusCommand(app)));
  program
    .command('log')
    .description('the verdicts that this clone knows, newest first')
    .option('-n, --max-count <number>', 'how many commits: 20, and with --since all')
    .option('--since <date>', 'only what was judged since: 2026-11-01, "2 weeks ago"')
    .option('--metric <name>', 'this one alone, with all its digits')
    .option('--plot', 'of --metric: as an SVG picture, on standard output')
    .option('--json', 'one object a line')
    .action(does(async (flags: LogFlags) => (await import('./actions/log.ts')).logCommand(app, flags)));
  program
    .command('show')
    .description('the report on a commit or a run')
    .argument('[commit or run]', 'HEAD, or its nearest ancestor with a report, where none is given')
    .option('--notebook', 'bring the executed notebooks')
    .option('--log', 'bring the full log')
    .option('--artifact <name>', 'bring a picture or another file that the run left')
    .addOption(
      // The others are on standard output.
      new Option('-o, --output <file>', 'where to put what is brought').conflicts(['json', 'markdown', 'plot']),
    )
    .option('-f, --force', 'replace a file that is there')
    .option('--plot', 'its curves over those of its baseline: an SVG picture, on standard output')
    .option('--json', 'print report.json')
    .option('--markdown', 'print report.md')
    .action(
      does(async (target: string | undefined, flags: ShowFlags) =>
        (await import('./actions/show.ts')).showCommand(app, target, flags),
      ),
    );
  program
    .command('diff')
    .description('two verdicts beside each other, and what changed between them')
    .argument('[commits or runs...]', 'A B or A..B; A alone is compared with HEAD; none: HEAD with its baseline')
    .option('--json', 'for programs')
    .action(
      does(async (revisions: string[], flags: DiffFlags) =>
        (await import('./actions/diff.ts')).diffCommand(app, revisions, flags),
      ),
    );
  program
    .command('why')
    .description('what makes one commit another run than the other')
    .argument('[commits...]', 'A B; A alone is compared with HEAD; none: HEAD with its parent')
    .action(does(async (revisions: string[]) => (await import('./actions/why.ts')).whyCommand(app, revisions)));
  program
    .command('bisect')
    .description('find the first commit that made the verdict bad; trains only what is not known')
    .argument('[commits...]', 'GOOD BAD; GOOD alone: up to HEAD; none: from the nearest pass up to HEAD')
    .option('--known', 'train nothing: only what is known counts')
    .action(
      does(async (revisions: string[], flags: { known?: boolean }) =>
        (await import('./actions/bisect.ts')).bisectCommand(app, revisions, flags),
      ),
    );
  program
    .command('reproduce')
    .description('make a run again that is known, and say whether it comes to the same')
    .argument('[commit or run]', 'HEAD where none is given')
    .option('--known', 'run nothing: compare the two newest runs')
    .option('--json', 'for programs')
    .action(
      does(async (target: string | undefined, flags: ReproduceFlags) =>
        (await import('./actions/reproduce.ts')).reproduceCommand(app, target, flags),
      ),
    );
  program
    .command('attach')
    .description('follow a run that goes on, to its verdict')
    .argument('[commit or run]')
    .action(does(async (commit?: string) => (await import('./actions/run.ts')).attachCommand(app, commit)));
  program
    .command('logs')
    .description('what a run has written so far, from where it runs')
    .argument('[commit or run]')
    .option('-f, --follow', 'and what it writes from now on, until it ends')
    .option('--cell <number>', 'what this cell of its notebook has put out')
    .option('--task <number>', 'of a run with seeds or a matrix: the log of this task alone')
    .action(
      does(async (commit: string | undefined, flags: LogsFlags) =>
        (await import('./actions/logs.ts')).logsCommand(app, commit, flags),
      ),
    );
  program
    .command('wait')
    .description('for scripts: wait for a run, print the verdict alone, exit with 0 for a pass')
    .argument('[commit or run]')
    .action(does(async (commit?: string) => (await import('./actions/run.ts')).waitCommand(app, commit)));
  program
    .command('sync')
    .description('fetch the verdicts of runs that nobody waited for')
    .action(does(async () => (await import('./actions/sync.ts')).syncCommand(app)));
  program
    .command('cancel')
    .description('end the job of a commit; letting go of a run never does that')
    .argument('[commit or run]')
    .action(does(async (commit?: string) => (await import('./actions/cancel.ts')).cancelCommand(app, commit)));
  program
    .command('accept')
    .description('let a commit go in spite of its verdict: who and why are recorded')
    .argument('[commit]')
    .requiredOption('-r, --reason <words>', 'why, for those who read the log')
    .action(
      does(async (commit: string | undefined, { reason }: { reason: string }) =>
        (await import('./actions/accept.ts')).acceptCommand(app, commit, reason),
      ),
    );
  program
    .command('script')
    .description('print the job script that would be submitted')
    .argument('[commit]')
    .action(does(async (commit?: string) => (await import('./actions/script.ts')).scriptCommand(app, commit)));
  program
    .command('verify')
    .description('whether pushed tips have a pass: for a server hook or CI, contacts nobody')
    .argument('<ranges...>', 'OLD..NEW for each branch')
    .option('--reports <branch>', 'the reports branch')
    .action(
      does(async (ranges: string[], { reports }: { reports?: string }) =>
        (await import('./actions/verify.ts')).verifyCommand(app, ranges, reports),
      ),
    );
  program
    .command('gc')
    .description('free what no run and no kept artifact uses, where jobs run; or prune old reports')
    .option('--older-than <days>', 'unused for so many days: 30')
    .option('--max-size <size>', 'then the longest unused content, until no more than this is left: 200G')
    .option('--max-environments <size>', 'then the longest unused environments, until no more than this is left: 20G')
    .option('--verify', 'also hash every object, and remove the damaged ones')
    .option('--reports', 'in place of that: remove reports from their branch, by --older-than, --keep or both')
    .option('--keep <number>', 'of --reports: so many of the newest stay, whatever their age')
    .option('-n, --dry-run', 'only list')
    .action(
      does(async (flags: GcFlags) =>
        flags.reports === true
          ? (await import('./actions/gc-reports.ts')).gcReportsCommand(app, flags)
          : (await import('./actions/gc.ts')).gcCommand(app, flags),
      ),
    );
  program
    .command('data')
    .description('data that is on the cluster already')
    .command('pin')
    .description('look at it once, where it is, and write what it is into .mlops/data.lock')
    .argument('[as...]', 'what `as:` says; all where none is given')
    .option('--no-job', 'look at it from the login node, however large it is')
    .action(
      does(async (names: string[], flags: { job: boolean }) =>
        (await import('./actions/data-pin.ts')).dataPinCommand(app, names, flags),
      ),
    );
  const env = program.command('env').description('environments where jobs run');
  env
    .command('list')
    .description('what is built there: age, last use, size, files, state')
    .action(does(async () => (await import('./actions/env.ts')).envListCommand(app)));
  env
    .command('show')
    .description('what is in one and what it was asked to be; of a failed one the end of the log')
    .argument('[key or commit]', "HEAD's where none is given")
    .action(does(async (named?: string) => (await import('./actions/env.ts')).envShowCommand(app, named)));
  env
    .command('build')
    .description("make a commit's environment now, where and as a job would")
    .argument('[commit]')
    .action(does(async (named?: string) => (await import('./actions/env.ts')).envBuildCommand(app, named)));
  env
    .command('shell')
    .description("a shell where a commit's run ran, in its environment and on a node of its kind")
    .argument('[commit]')
    .option('--task <number>', 'of a run with seeds or a matrix: in the folder of this task')
    .action(
      does(async (named: string | undefined, flags: { task?: string }) =>
        (await import('./actions/env-shell.ts')).envShellCommand(app, named, flags),
      ),
    );
  env
    .command('lock')
    .description(
      "write what was resolved for a commit's environment into the repository, so that nothing is resolved any more",
    )
    .argument('[commit]')
    .action(does(async (named?: string) => (await import('./actions/env.ts')).envLockCommand(app, named)));
  env
    .command('rm')
    .description('remove one that no run uses')
    .argument('<key>', 'or its beginning')
    .option('-y, --yes', 'ask nothing')
    .action(
      does(async (key: string, flags: { yes?: boolean }) =>
        (await import('./actions/env.ts')).envRmCommand(app, key, flags),
      ),
    );
  program
    .command('doctor')
    .description('look whether everything works from here to the cluster, and say what to do where not')
    .option('--job', 'submit a job of a few seconds too, to see a compute node')
    .action(does(async (flags: { job?: boolean }) => (await import('./actions/doctor.ts')).doctorCommand(app, flags)));
  program
    .command('trust')
    .description('let the hooks of this clone run what its config says')
    .action(does(async () => (await import('./actions/trust.ts')).trustCommand(app)));
  program
    .command('uninstall')
    .description('take the hooks and settings out again; config, reports and notes stay')
    .action(does(async () => (await import('./actions/init.ts')).uninstallCommand(app)));
  program
    .command('record', { hidden: true })
    .description('hash the data of a commit and record it')
    .argument('<commit>')
    .action(does(async (commit: string) => (await import('./actions/record.ts')).recordInBackground(app, commit)));

  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    // commander has printed its words; help and version end with 0.
    if (error instanceof CommanderError) return error.exitCode;
    throw error;
  }
}

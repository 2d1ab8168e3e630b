import type { GateError, StoppedOutcome } from '../../gate/outcome.ts';
import type { PipelineError } from '../../gate/pipeline.ts';
import { failureText } from '../../report/words.ts';
import { dataAbsentTrouble, dataChangedTrouble, dataUnlistedTrouble } from './data-trouble.ts';
import { fingerprintTrouble } from './fingerprint-trouble.ts';
import { gitTrouble, submoduleTrouble } from './git-trouble.ts';
import { placeTrouble, queryTrouble } from './host-trouble.ts';
import { said } from './layout.ts';
import { contentTrouble, planTrouble, renderTrouble } from './plan-trouble.ts';
import type { Setting } from './setting.ts';
import { runsTrouble, storeTrouble } from './store-trouble.ts';
import { submitTrouble } from './submit-trouble.ts';
import { type Having, type Trouble, troubleOf, troublesLines, type Words } from './trouble.ts';

const pipelineWords: Words<PipelineError> = {
  'no-config': ({ commit, inWorktree }, { again }) =>
    inWorktree
      ? {
          failed: `.mlops/config.yaml is written, and not in the commit ${commit.slice(0, 7)}`,
          means: 'What is tested is what is committed.',
          next: [{ command: 'git add .mlops && git commit', what: 'puts it in' }, { command: again }],
        }
      : {
          failed: `the commit ${commit.slice(0, 7)} has no .mlops/config.yaml: nothing says what to run`,
          next: [
            { command: 'mlops init', what: 'proposes one from your notebooks' },
            { command: 'mlops uninstall', what: 'if this repository is not meant to be judged' },
          ],
        },
  'config-invalid': ({ commit, diagnostics }, { again }) => ({
    failed: '',
    diagnostics,
    means: `The config of ${commit.slice(0, 7)} cannot be used. Nothing was started.`,
    next: [{ command: again, what: 'once it is corrected and committed' }],
  }),
  git: ({ cause }, setting) => gitTrouble(cause, setting),
};
export const pipelineTrouble = (error: PipelineError, setting: Setting): Trouble =>
  troubleOf(pipelineWords, error, setting);

type Single = Exclude<GateError, { readonly reason: 'plan' }>;
const words: Words<Single> = {
  pipeline: ({ cause }, setting) => pipelineTrouble(cause, setting),
  fingerprint: ({ cause }, setting) => fingerprintTrouble(cause, setting),
  tree: ({ cause }, setting) => submoduleTrouble(cause, setting),
  contents: ({ cause }, setting) => contentTrouble(cause, setting),
  render: ({ cause }, setting) => renderTrouble(cause, setting),
  place: ({ cause }, setting) => placeTrouble(cause, setting),
  store: ({ cause, place, files }, setting) => storeTrouble(cause, place, setting, files),
  runs: ({ cause, place }, setting) => runsTrouble(cause, place, setting),
  submit: ({ cause, place }, setting) => submitTrouble(cause, place, setting),
  query: ({ cause }, setting) => queryTrouble(cause, setting),
  git: ({ cause }, setting) => gitTrouble(cause, setting),
  'data-unlisted': dataUnlistedTrouble,
  'data-changed': dataChangedTrouble,
  'data-absent': dataAbsentTrouble,
  'out-of-reach': (error, setting) => outOfReach(error, setting),
  build: ({ place, detail }, { again }) => ({
    failed: `the environment could not be made on ${said(place, 60)} (build_on: login)`,
    raw: detail,
    means: 'Nothing was submitted.',
    next: [{ command: again, what: 'again, once the specification or the network is mended' }],
  }),
  'no-run': ({ commit, fingerprint }) => ({
    failed: `no run of ${commit.slice(0, 7)} goes on, and none has a result (run ${fingerprint.slice(0, 7)})`,
    next: [{ command: `mlops run ${commit.slice(0, 7)}`, what: 'starts one' }],
  }),
  'seeds-lost': ({ failure }, { again }) => ({
    failed: `the seeds that were to be added did not all end: ${said(failureText(failure), 160)}`,
    means: 'A part of them is not the sample that was declared. Nothing was added; the verdict stays undecided.',
    next: [{ command: again, what: 'tries again' }],
  }),
  aborted: (_error, { again, holdsPush }) => ({
    failed: `stopped before a job was there${holdsPush ? ': not pushed' : ''}`,
    means: 'What was hashed and sent is kept.',
    next: [{ command: again, what: 'goes on from there' }],
  }),
};

function outOfReach({ cause, fingerprint, job }: Having<GateError, 'out-of-reach'>, setting: Setting): Trouble {
  const why = placeTrouble(cause, setting);
  return {
    ...why,
    failed: `run ${fingerprint.slice(0, 7)} could not be reached for a long time: ${why.failed}`,
    means: `Job ${said(job, 60)} may go on. Nothing is lost: it is found again.`,
  };
}

/** Every reason why the way of a commit stopped. Only a plan has several at once. */
export const gateTroubles = (error: GateError, setting: Setting): readonly Trouble[] =>
  error.reason === 'plan' ? error.errors.map((one) => planTrouble(one, setting)) : [troubleOf(words, error, setting)];

export const stoppedLines = (error: GateError, setting: Setting): readonly string[] =>
  troublesLines(gateTroubles(error, setting), setting.style);

/** The screen of an outcome `stopped`. */
export const stoppedScreen = ({ error, locate }: StoppedOutcome, setting: Setting): readonly string[] =>
  stoppedLines(error, { ...setting, ...(locate === undefined ? {} : { locate }) });

import { randomUUID } from 'node:crypto';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { JsonText } from '../../api/graphql.ts';
import { fetchJobReport, type Job, type JobReport } from '../../api/jobs.ts';
import { type Upload, uploadFile } from '../../api/upload-file.ts';
import { JobberCommand } from '../../base-command.ts';
import { asTyped } from '../../environment.ts';
import { EXIT, type ExitCode, interrupted } from '../../failure.ts';
import { type CheckedFile, checkDataFile } from '../../input/check-file.ts';
import { parseDuration } from '../../input/parse-time.ts';
import { cleanText } from '../../render/clean-text.ts';
import { type LoadSummary, renderLoad, summarizeLoad } from '../../render/load.ts';
import { bar, startProgress } from '../../render/progress.ts';
import { bytes, counted } from '../../render/units.ts';
import type { Session } from '../../session/session.ts';
import { followJob } from '../../waiting/follow-job.ts';
import { handOverJob } from '../../waiting/hand-over-job.ts';
import { onInterruption } from '../../waiting/interruption.ts';

interface Loaded {
  upload: Upload;
  job: Job | JobReport;
  /** Not with --no-wait. */
  summary?: LoadSummary;
}

export default class ProductsLoad extends JobberCommand {
  static override summary = 'Load a file of products: JSON, NDJSON or CSV, of any size.';
  static override description =
    'The file is checked here, uploaded, checked record by record, and loaded by a LoadProducts job. Exit code 2: the file was refused and nothing was loaded; 7: some records were not loaded.';
  static override examples = [
    '<%= config.bin %> products load products.json',
    {
      description: 'Upload, and leave the loading to the platform:',
      command: '<%= config.bin %> products load products.csv --no-wait',
    },
    {
      description: 'In a script:',
      command: '<%= config.bin %> products load products.ndjson --timeout 30m --json',
    },
  ];
  static override args = {
    file: Args.string({
      description: 'The file: .json, .ndjson, .jsonl or .csv.',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    wait: Flags.boolean({ summary: 'Wait until everything is loaded.', default: true, allowNo: true }),
    timeout: Flags.string({ summary: 'Wait no longer than that: 30s, 5m, 2h.', helpValue: '<time>' }),
  };

  async run(): Promise<Loaded> {
    const { args, flags } = await this.parse(ProductsLoad);
    const file = checkDataFile(args.file);
    const timeoutMs = flags.timeout === undefined ? undefined : parseDuration('--timeout', flags.timeout);
    const session = this.session(flags);
    const upload = await this.upload(session, file);
    this.print(`Uploaded ${cleanText(file.name)}: ${bytes(file.size)}, ${counted(upload.records, 'record')}`);
    const data = new JsonText(JSON.stringify({ fileName: upload.filename }));
    const quiet = this.jsonEnabled();
    const job = await handOverJob(session, { name: 'LoadProducts', data, key: randomUUID() }, quiet);
    if (!flags.wait) {
      this.print(`Job ${job.id} loads them. Follow it with: ${asTyped(`job show ${job.id} --wait`)}`);
      return { upload, job };
    }
    await followJob(session, job, { quiet, timeoutMs });
    const report = await fetchJobReport(session, job.id, { errors: 20 });
    const summary = summarizeLoad(report);
    this.print(renderLoad(report, summary));
    this.endWith(exitCodeOf(report));
    return { upload, job: report, summary };
  }

  private async upload(session: Session, file: CheckedFile): Promise<Upload> {
    const name = cleanText(file.name);
    const interruption = onInterruption(() =>
      interrupted(`The upload of ${name} was interrupted: nothing was loaded`),
    );
    const progress = await startProgress(`Uploading ${name}`, this.jsonEnabled());
    const started = performance.now();
    const show = (sent: number) => {
      const rate = sent / ((performance.now() - started) / 1000);
      const text =
        sent === file.size
          ? 'checking the records'
          : `${bytes(sent)} of ${bytes(file.size)}  ${bytes(Math.round(rate))}/s`;
      progress.update(`Uploading ${name}  ${bar(sent, file.size)}  ${text}`);
    };
    try {
      return await uploadFile(session, file, show, interruption.signal);
    } finally {
      progress.stop();
      interruption.release();
    }
  }
}

function exitCodeOf({ status, completed, failed }: Job): ExitCode {
  if (status === 'COMPLETED') return EXIT.ok;
  return status === 'FAILED' && completed > 0 && failed > 0 ? EXIT.partialLoad : EXIT.jobFailed;
}

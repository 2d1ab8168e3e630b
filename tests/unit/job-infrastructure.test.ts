import { describe, expect, test } from '@jest/globals';
import { infrastructureRule, infrastructureRules, lastException } from '../../lib/job/infrastructure.ts';

type Row = readonly [exception: string, message: string, rule: string];
const infrastructure: readonly Row[] = [
  ['OSError', "[Errno 116] Stale file handle: 'data/ratings.csv'", 'file-system'],
  ['OSError', "[Errno 28] No space left on device: 'model.pkl'", 'disk-full'],
  ['OSError', '[Errno 122] Disk quota exceeded', 'disk-full'],
  ['OSError', '[Errno 5] Input/output error', 'file-system'],
  ['OSError', '[Errno 108] Cannot send after transport endpoint shutdown', 'file-system'],
  [
    'OSError',
    'Caught OSError in DataLoader worker process 0.\nOriginal Traceback:\nOSError: [Errno 116] Stale file handle',
    'file-system',
  ],
  [
    'OSError',
    "Can't synchronously write data (file write failed: time = Tue, filename = 'model.h5', errno = 28, error message = 'No space left on device')",
    'disk-full',
  ],
  ['ArrowIOError', '[Errno 28] Error writing bytes to file. Detail: [errno 28] No space left on device', 'disk-full'],
  ['ResourceExhaustedError', 'out/model.index; No space left on device [Op:SaveV2]', 'disk-full'],
  ['RuntimeError', 'filesystem error: cannot create directories: No space left on device [out/model]', 'disk-full'],
  ['sqlite3.OperationalError', 'database or disk is full', 'disk-full-database'],
  ['RasterioIOError', 'scene.tif: Input/output error', 'file-system'],
  ['RuntimeError', 'read failed: Stale file handle', 'file-system'],
  ['OSError', '[Errno 101] Network is unreachable', 'network'],
  [
    'BlockingIOError',
    "[Errno 11] Unable to synchronously open file (unable to lock file, errno = 11, error message = 'Resource temporarily unavailable')",
    'file-lock',
  ],
  ['OSError', '[Errno 37] No locks available', 'file-lock'],
  ['MemoryError', '', 'memory'],
  [
    '_ArrayMemoryError',
    'Unable to allocate 14.9 GiB for an array with shape (2000000000,) and data type float64',
    'memory',
  ],
  ['OSError', '[Errno 12] Cannot allocate memory', 'memory-errno'],
  [
    'OutOfMemoryError',
    'CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 15.77 GiB',
    'gpu-memory',
  ],
  ['RuntimeError', 'CUDA out of memory. Tried to allocate 2.00 GiB', 'gpu-memory-words'],
  [
    'RuntimeError',
    'CUDA error: uncorrectable ECC error encountered\nCUDA kernel errors might be asynchronously reported',
    'gpu-hardware',
  ],
  ['pynvml.NVMLError_GpuIsLost', 'GPU is lost', 'gpu-hardware'],
  ['RuntimeError', 'CUDA error: no CUDA-capable device is detected', 'gpu-missing'],
  ['RuntimeError', 'No CUDA GPUs are available', 'gpu-missing'],
  ['RuntimeError', 'Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU', 'gpu-missing'],
  ['RuntimeError', 'CUDA error: all CUDA-capable devices are busy or unavailable', 'gpu-missing'],
  [
    'RuntimeError',
    '[Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=42, OpType=ALLREDUCE) ran for 1800001 milliseconds before timing out.',
    'collective',
  ],
  [
    'DistBackendError',
    'NCCL error in: ProcessGroupNCCL.cpp:1970, unhandled system error (run with NCCL_DEBUG=INFO for details)',
    'collective',
  ],
  ['HTTPError', '503 Server Error: Service Unavailable for url: https://example.org/model', 'http-status'],
  ['HfHubHTTPError', '429 Client Error: Too Many Requests for url: https://huggingface.co/api', 'http-status'],
  [
    'requests.exceptions.ConnectionError',
    "HTTPSConnectionPool(host='example.org', port=443): Max retries exceeded with url: /",
    'connection-words',
  ],
  ['ReadTimeout', 'HTTPSConnectionPool: Read timed out. (read timeout=10)', 'connection'],
  ['LocalEntryNotFoundError', 'An error happened while trying to locate the file on the Hub', 'hub-offline'],
  ['OSError', "We couldn't connect to 'https://huggingface.co' to load the files", 'hub-unreachable'],
  ['URLError', '<urlopen error [Errno -3] Temporary failure in name resolution>', 'name-resolution'],
  ['GurobiError', 'No Gurobi license found (user u, host c117)', 'licence'],
  ['MatlabExecutionError', 'License Manager Error -15\nUnable to connect to the license server.', 'licence'],
  ['SolverError', 'FLEXnet Licensing error:-15,578', 'licence'],
  [
    'RuntimeError',
    "DataLoader worker (pid 4) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory.",
    'shared-memory',
  ],
  ['ImportError', 'libcudart.so.11.0: cannot open shared object file: No such file or directory', 'broken-library'],
  ['OSError', 'libsndfile.so.1: cannot open shared object file: No such file or directory', 'broken-library'],
];

const code: readonly (readonly [string, string])[] = [
  ['FileNotFoundError', "[Errno 2] No such file or directory: 'data/ratings.csv'"],
  ['PermissionError', "[Errno 13] Permission denied: 'data/ratings.csv'"],
  ['IsADirectoryError', "[Errno 21] Is a directory: 'data'"],
  ['ValueError', 'Input contains NaN'],
  ['ValueError', 'Found array with 503 sample(s) while a minimum of 504 is required'],
  ['OSError', 'No space left on device'],
  ['OSError', 'Input/output error'],
  ['DataError', 'Input/output error rate 0.31 is above 0.1'],
  ['DataError', 'the log says: Input/output error rate'],
  ['QuotaError', 'Disk quota exceeded by 3 users'],
  ['OperationalError', 'no such table: ratings'],
  ['AssertionError', ''],
  ['AssertionError', 'expected 500 rows'],
  ['AssertionError', 'expected "No space left on device" in the log'],
  ['ValueError', 'license not found in column "license"'],
  ['ValueError', 'CUDA unknown error class in dataset'],
  ['KeyError', "'Stale file handle'"],
  ['KeyError', "'timeout'"],
  ['ModuleNotFoundError', "No module named 'helpers'"],
  ['ImportError', "cannot import name 'train' from 'helpers'"],
  ['RuntimeError', 'CUDA error: device-side assert triggered'],
  ['RuntimeError', 'CUDA error: an illegal memory access was encountered'],
  ['RuntimeError', 'mat1 and mat2 shapes cannot be multiplied (32x10 and 12x1)'],
  ['RuntimeError', 'NCCL error in: ProcessGroupNCCL.cpp, invalid usage'],
  ['HTTPError', 'HTTP Error 404: Not Found'],
  ['HTTPError', '401 Client Error: Unauthorized for url: https://huggingface.co/x'],
  ['HTTPError', '404 Client Error: Not Found for url: https://example.org/503/x'],
  ['OSError', '[Errno 24] Too many open files'],
  ['TimeoutError', ''],
  ['UsageError', 'Line magic function `%x` not found.'],
  ['RecursionError', 'maximum recursion depth exceeded'],
  ['KeyboardInterrupt', ''],
];

describe('whose exception is it', () => {
  test.each(infrastructure)('the infrastructure’s: %s: %s', (exception, message, rule) => {
    expect(infrastructureRule({ exception, message })?.name).toBe(rule);
  });
  test.each(code)('the code’s: %s: %s', (exception, message) => {
    expect(infrastructureRule({ exception, message })).toBeUndefined();
  });
  test('rules have names of their own, and each has an example', () => {
    const names = infrastructureRules.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const proven = new Set(infrastructure.map(([, , rule]) => rule));
    expect(names.filter((name) => !proven.has(name))).toEqual(['connection'].filter((name) => !proven.has(name)));
  });
});

test('the exception at the end of a program’s output is found, whatever stands before it', () => {
  const traceback = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    f()\n';
  expect(lastException(`noise: here\n${traceback}requests.exceptions.HTTPError: 503 Server Error\nmore\n`)).toEqual({
    exception: 'requests.exceptions.HTTPError',
    message: '503 Server Error\nmore',
  });
  expect(lastException(`${traceback}MemoryError\n`)).toEqual({ exception: 'MemoryError', message: '' });
  expect(lastException('OSError: [Errno 28] printed by hand')).toBeUndefined();
});

import type { FailureReason } from '../verdict/types.ts';

/**
 * Exceptions that say nothing about the model: docs/job.md, "Whose exception is it?". Only the exception that ended the notebook is looked
 * at, not what it was chained to: code that catches a time-out and raises something else has spoken for itself.
 */
export interface InfrastructureRule {
  readonly name: string;
  readonly reason: FailureReason;
  /** The exception's class, without its module. Absent: any. What `ownLogic` names is never the infrastructure's. */
  readonly exception?: RegExp;
  readonly message?: RegExp;
}

/** What code raises about its own data and its own logic, whatever words are in it: a test that compares logs may name a full disk. */
const ownLogic =
  /^(?:AssertionError|KeyError|IndexError|LookupError|NameError|UnboundLocalError|AttributeError|TypeError|ZeroDivisionError|StopIteration|NotImplementedError|ValueError|UnicodeDecodeError|UnicodeEncodeError)$/;
/** The number as Python, Arrow and HDF5 write it; or the system's words for it where a library has put them behind its own. */
const errno = (numbers: readonly number[], words: readonly string[] = []) =>
  new RegExp(
    [
      `\\[[Ee]rrno (?:${numbers.join('|')})\\]|\\berrno = (?:${numbers.join('|')})\\b`,
      // Alone, or within a sentence, they are what somebody wrote: "Input/output error rate".
      ...words.map((text) => `[:;('"] ?${text}(?!\\w| \\w)`),
    ].join('|'),
  );
const osError =
  /^(?:OSError|IOError|EnvironmentError|BlockingIOError|TimeoutError|timeout|error|Error|URLError|shutil\.Error|RuntimeError|ConnectionError|[A-Z]\w*(?:Error|Exception|Timeout))$/;
const cuda =
  /^(?:RuntimeError|AcceleratorError|CudaError|CUDARuntimeError|CudaAPIError|CudaSupportError|InternalError|XlaRuntimeError|UnknownError|LogicError|NVMLError\w*)$/;

export const infrastructureRules: readonly InfrastructureRule[] = [
  // ENOSPC, EDQUOT
  {
    name: 'disk-full',
    reason: 'disk-full',
    message: errno([28, 122], ['No space left on device', 'Disk quota exceeded']),
  },
  { name: 'disk-full-database', reason: 'disk-full', exception: /^OperationalError$/, message: /disk is full/ },
  // How much memory a job gets is not part of the fingerprint: the same run with more of it may pass.
  { name: 'memory', reason: 'out-of-memory', exception: /^(?:_Array)?MemoryError$/ },
  { name: 'memory-errno', reason: 'out-of-memory', exception: osError, message: errno([12]) },
  { name: 'gpu-memory', reason: 'out-of-memory', exception: /^(?:OutOfMemoryError|ResourceExhaustedError)$/ },
  {
    name: 'gpu-memory-words',
    reason: 'out-of-memory',
    exception: cuda,
    message:
      /(?:CUDA|HIP)(?: error:)? out of memory|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|RESOURCE_EXHAUSTED|DefaultCPUAllocator: can't allocate memory/,
  },
  // ESTALE, EIO, ENOTCONN, ESHUTDOWN, EREMOTEIO, ECOMM, EBADFD: what network file systems say when a server is away.
  {
    name: 'file-system',
    reason: 'infrastructure-exception',
    exception: osError,
    message: errno(
      [5, 70, 77, 107, 108, 116, 121],
      ['Stale (?:NFS )?file handle', 'Input/output error', 'Transport endpoint is not connected'],
    ),
  },
  {
    name: 'file-lock',
    reason: 'infrastructure-exception',
    message: /unable to lock file, errno = (?:11|37|95|524)\b|\[Errno 37\]|: No locks available$/m,
  },
  // ENETDOWN, ENETUNREACH, ENETRESET, ECONNABORTED, ECONNRESET, ETIMEDOUT, ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH
  {
    name: 'network',
    reason: 'infrastructure-exception',
    exception: osError,
    message: errno([100, 101, 102, 103, 104, 110, 111, 112, 113]),
  },
  {
    name: 'name-resolution',
    reason: 'infrastructure-exception',
    message:
      /Temporary failure in name resolution|Name or service not known|nodename nor servname|NameResolutionError|\[Errno -[235]\]/,
  },
  {
    name: 'connection',
    reason: 'infrastructure-exception',
    exception:
      /^(?:Connection(?:Refused|Reset|Aborted)Error|ConnectTimeout|ReadTimeout|ConnectTimeoutError|ReadTimeoutError|ConnectError|ReadError|RemoteProtocolError|RemoteDisconnected|IncompleteRead|ProtocolError|MaxRetryError|NewConnectionError|SSLEOFError|PoolTimeout|WriteTimeout|EndpointConnectionError|ServerDisconnectedError|ClientConnectorError|ServerTimeoutError)$/,
  },
  {
    name: 'connection-words',
    reason: 'infrastructure-exception',
    exception: /^(?:ConnectionError|TimeoutError|timeout|URLError|ChunkedEncodingError|ProxyError|SSLError)$/,
    message:
      /Max retries exceeded|Connection aborted|Remote end closed|timed out|Connection broken|Cannot connect to proxy|Tunnel connection failed|EOF occurred/,
  },
  {
    name: 'http-status',
    reason: 'infrastructure-exception',
    exception:
      /^(?:HTTPError|HTTPStatusError|HfHubHTTPError|ClientResponseError|ServerError|ServiceUnavailable|TooManyRequests|InternalServerError|BadGateway|GatewayTimeout|ClientError|ApiException)$/,
    message:
      /(?:^|HTTP Error |error '|status[ =_:]*|\()(?:429|50[0-9]|52[0-9])\b|Too Many Requests|Service Unavailable|Bad Gateway|Gateway Time-?out|SlowDown/i,
  },
  {
    name: 'hub-offline',
    reason: 'infrastructure-exception',
    exception: /^(?:LocalEntryNotFoundError|OfflineModeIsEnabled)$/,
  },
  {
    name: 'hub-unreachable',
    reason: 'infrastructure-exception',
    exception: /^OSError$/,
    message: /We couldn't connect to '?https?:/,
  },
  {
    name: 'gpu-hardware',
    reason: 'infrastructure-exception',
    exception: cuda,
    message:
      /uncorrectable (?:NVLink|ECC)|ECC error|fallen off the bus|GPU is lost|\bXid\b|hardware stack error|CUDA_ERROR_ECC|cudaErrorECC/i,
  },
  {
    name: 'gpu-missing',
    reason: 'infrastructure-exception',
    message:
      /no CUDA-capable device|No CUDA GPUs are available|Found no NVIDIA driver|CUDA driver (?:initialization failed|version is insufficient)|CUDA_ERROR_(?:NO_DEVICE|SYSTEM_NOT_READY|SYSTEM_DRIVER_MISMATCH|DEVICE_UNAVAILABLE)|devices? (?:is|are) busy or unavailable|system not yet initialized|CUDA unknown error|NVIDIA driver on your system is too old/,
  },
  {
    name: 'collective',
    reason: 'infrastructure-exception',
    exception: /^(?:RuntimeError|DistBackendError|DistNetworkError|DistStoreError|TimeoutError)$/,
    message:
      /(?:NCCL|ProcessGroup|Gloo|gloo|collective operation)[\s\S]*(?:time(?:d )?-?out|unhandled (?:system|cuda) error|remote process (?:exited|has terminated)|Connection (?:reset|closed|refused))|Timed out after \d+ ?(?:ms|seconds) waiting for clients|socket has timed out|The client socket has timed out/i,
  },
  {
    name: 'licence',
    reason: 'infrastructure-exception',
    message:
      /FlexLM|FLEXlm|FLEXnet|FlexNet|License Manager Error|licen[cs]e (?:checkout failed|server|has expired|expired|not found)|No Gurobi license|HostID mismatch|Failed to (?:connect to token server|check ?out a? ?licen[cs]e)|Unable to check ?out|all licenses are in use|Licensed number of users already reached/i,
  },
  {
    name: 'shared-memory',
    reason: 'infrastructure-exception',
    message:
      /insufficient shared memory|killed by signal: (?:Bus error|Killed)|unable to (?:open|mmap|resize)[^\n]*shared memory/i,
  },
  // The environment of this node, not the code: a library that is missing or that is built against another system.
  {
    name: 'broken-library',
    reason: 'environment',
    exception: /^(?:ImportError|OSError|RuntimeError)$/,
    message: /cannot open shared object file|GLIBC(?:XX)?_[\d.]+' not found|undefined symbol|failed to map segment/,
  },
];

export interface Raised {
  /** The class, with or without its module. */
  readonly exception: string;
  readonly message: string;
}

/** The rule that says that an exception is the infrastructure's; undefined: it is the code's. */
export function infrastructureRule({ exception, message }: Raised): InfrastructureRule | undefined {
  const name = exception.slice(exception.lastIndexOf('.') + 1);
  if (ownLogic.test(name)) return undefined;
  // Messages can be whole logs; what an exception is about stands at its beginning or its end.
  const text = message.length <= 8000 ? message : `${message.slice(0, 4000)}\n${message.slice(-4000)}`;
  return infrastructureRules.find(
    (rule) =>
      (rule.exception === undefined || rule.exception.test(name)) &&
      (rule.message === undefined || rule.message.test(text)),
  );
}

/** The exception at the end of a program's output, as Python prints it. */
export function lastException(output: string): Raised | undefined {
  const lines = output.trimEnd().split('\n');
  const start = lines.findLastIndex((line) => line.startsWith('Traceback (most recent call last):'));
  if (start < 0) return undefined;
  const at = lines.findIndex((line, index) => index > start && /^[\p{L}_][\p{L}\p{N}_.]*(?::|$)/u.test(line));
  const [, exception, message = ''] = /^([^:]+)(?:: ?([\s\S]*))?$/.exec(lines.slice(at).join('\n')) ?? [];
  return at < 0 || exception === undefined ? undefined : { exception, message };
}

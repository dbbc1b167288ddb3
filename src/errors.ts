/** One fault in what a caller sent: where it stands (dotted path) and what is wrong with it. */
export type Fault = { path: string; message: string };

/**
 * Every error a caller can mend, with its HTTP status and title (RFC 9457). Whatever is not in this table is a
 * fault of ours: it is logged and answered as a bare 500.
 */
export const errorTable = {
  'invalid-json': { status: 400, title: 'The body is not readable JSON' },
  invalid: { status: 400, title: 'The request does not fit its schema' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body has a media type that this call does not take' },
  'no-key': { status: 401, title: 'An API key is needed' },
  'no-scope': { status: 403, title: 'The key may not do this' },
  'no-role': { status: 403, title: 'The roles of the account do not allow this' },
  'own-work': { status: 403, title: 'Whoever writes may not approve their own' },
  'no-session': { status: 403, title: 'Nobody is signed in here' },
  'bad-csrf': { status: 403, title: 'The form has expired' },
  'bad-signature': { status: 403, title: 'The signature does not fit' },
  'bad-link': { status: 403, title: 'The link is not valid' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'This method is not known here' },
  conflict: { status: 409, title: 'This clashes with what is there' },
  'wrong-state': { status: 409, title: 'This cannot be done in the present state' },
  'still-running': { status: 409, title: 'The first request with this Idempotency-Key is still running' },
  'link-expired': { status: 410, title: 'The link has expired' },
  'key-reused': { status: 422, title: 'This Idempotency-Key was used with another body' },
  'wrong-code': { status: 400, title: 'The code is wrong or has expired' },
  'too-many': { status: 429, title: 'Too many requests' },
  'index-building': { status: 503, title: 'The audience index is being built' },
  'store-unavailable': { status: 503, title: 'The store does not answer' },
  'not-implemented': { status: 501, title: 'This is not available' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof errorTable;

/** What a caller can mend. `detail` is shown to them; `faults` name each fault by path. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly faults: Fault[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, detail: string, options: { faults?: Fault[]; retryAfterSeconds?: number } = {}) {
    super(detail);
    this.name = 'AppError';
    this.code = code;
    this.faults = options.faults ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

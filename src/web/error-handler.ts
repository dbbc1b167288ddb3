import type { ErrorRequestHandler, Request, Response } from 'express';
import { AppError, type ErrorCode, errorTable, type Fault } from '../errors.ts';
import type { Log } from '../log.ts';

/** RFC 9457 problem details; `code` and `errors` are ours. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode | 'internal';
  errors: Fault[];
};

/** How a citizen is shown an error: a page of the same status. */
export type RenderError = (req: Request, res: Response, problem: Problem) => void;

/** Errors of express and its body parser (http-errors), by their `type` or status. */
const foreign: { fits: (type: unknown, status: unknown) => boolean; code: ErrorCode; detail: string }[] = [
  { fits: (type) => type === 'entity.parse.failed', code: 'invalid-json', detail: 'The body is not readable JSON.' },
  {
    fits: (_type, status) => status === 413,
    code: 'body-too-large',
    detail: 'The body is larger than this call takes.',
  },
  {
    fits: (_type, status) => status === 415,
    code: 'unsupported-media-type',
    detail: 'The body is encoded in a way that this call does not take.',
  },
  { fits: (_type, status) => status === 404, code: 'not-found', detail: 'There is nothing here.' },
  { fits: (_type, status) => status === 400, code: 'invalid', detail: 'The request cannot be read.' },
];

/** What a caller can mend, whoever threw it; null for a fault of ours. */
export const asAppError = (error: unknown): AppError | null => {
  if (error instanceof AppError) return error;
  if (!(error instanceof Error)) return null;
  const { type, status } = error as { type?: unknown; status?: unknown };
  const known = foreign.find(({ fits }) => fits(type, status));
  return known ? new AppError(known.code, known.detail) : null;
};

const problemType = (publicUrl: string, code: Problem['code']): string => `${publicUrl}/problems/${code}`;

export const problemOf = (error: AppError | null, publicUrl: string): Problem => {
  const code = error?.code ?? 'internal';
  const { status, title } = error ? errorTable[error.code] : { status: 500, title: 'Something went wrong on our side' };
  const detail = error?.message ?? 'The fault has been logged; try again later.';
  return { type: problemType(publicUrl, code), title, status, detail, code, errors: error?.faults ?? [] };
};

/** Answers a problem document (RFC 9457 section 3). */
const sendProblem = (res: Response, problem: Problem): void => {
  res
    .status(problem.status)
    .set('Content-Type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem));
};

const wantsPage = (req: Request, res: Response): boolean =>
  res.locals.machine !== true && !req.originalUrl.startsWith('/api/') && Boolean(req.accepts('html'));

/** The one error handler: known errors speak, unknown ones say nothing and are logged. What is put off (a store away, a start) is no fault of ours. */
export const makeErrorHandler =
  ({ log, publicUrl, renderError }: { log: Log; publicUrl: string; renderError?: RenderError }): ErrorRequestHandler =>
  (error: unknown, req, res, next) => {
    // the caller hung up: nobody is left to be told
    if (req.destroyed && !res.writable) return;
    const known = asAppError(error);
    const problem = problemOf(known, publicUrl);
    if (!known) log.error({ err: error, method: req.method, path: req.path }, 'a request failed');
    else if (problem.status >= 500)
      log.warn({ code: known.code, method: req.method, path: req.path }, `a request was put off: ${known.message}`);
    if (res.headersSent) {
      next(error);
      return;
    }
    if (problem.status === 401) res.set('WWW-Authenticate', 'Bearer');
    if (known?.retryAfterSeconds !== undefined) res.set('Retry-After', String(known.retryAfterSeconds));
    res.set('Cache-Control', 'no-store');
    if (renderError && wantsPage(req, res)) renderError(req, res, problem);
    else sendProblem(res, problem);
  };

import type { RequestListener } from 'node:http';
import { AppError } from '../errors.ts';
import { problemOf } from './error-handler.ts';

/** What a process answers while it is not composed yet: alive, not ready. */
export const startingApp: RequestListener = (request, response) => {
  const alive = request.url === '/healthz';
  const starting = problemOf(new AppError('store-unavailable', 'The service is starting.'), '');
  response.writeHead(alive ? 200 : 503, {
    'Content-Type': alive ? 'application/json' : 'application/problem+json; charset=utf-8',
    'Cache-Control': 'no-store',
    ...(alive ? {} : { 'Retry-After': '1' }),
  });
  response.end(JSON.stringify(alive ? { status: 'ok' } : starting));
};

import type { RequestHandler } from 'express';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export type Metrics = {
  /** Times every request by method, route and status. */
  observe: RequestHandler;
  /** The Prometheus text exposition format and its media type. */
  expose(): Promise<{ type: string; content: string }>;
};

const seconds = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Metrics of one process in a registry of their own. */
export const makeMetrics = (): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: seconds,
    registers: [registry],
  });
  return {
    observe: (req, res, next) => {
      const stop = durations.startTimer({ method: req.method });
      // paths hold ids and tokens: only the route they fell on may be a label
      res.once('finish', () =>
        stop({ route: res.locals.route ?? req.route?.path?.toString() ?? 'other', status: res.statusCode }),
      );
      next();
    },
    expose: async () => ({ type: registry.contentType, content: await registry.metrics() }),
  };
};

import type { RequestHandler } from 'express';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { IndexState } from '../audience/index-keeper.ts';

export type Metrics = {
  /** Times every request by method, route and status. */
  observe: RequestHandler;
  /** The Prometheus text exposition format and its media type. */
  expose(): Promise<{ type: string; content: string }>;
};

const seconds = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

const ofIndex: [name: string, help: string, value: (state: IndexState) => number][] = [
  ['audience_index_ready', '1 once the audience index stands', ({ state }) => (state === 'ready' ? 1 : 0)],
  ['audience_index_people', 'People in the audience index', ({ people }) => people],
  ['audience_index_bytes', 'Memory of the audience index', ({ bytes }) => bytes],
  ['audience_index_lag', 'Change numbers that the audience index was behind when it last looked', ({ lag }) => lag],
  ['audience_index_rebuilds', 'How often the audience index was made anew', ({ rebuilds }) => rebuilds],
  [
    'audience_index_wrong',
    '1 while the last check of the audience index found it wrong',
    ({ wrong }) => (wrong ? 1 : 0),
  ],
  ['audience_index_faults', 'How often a check found the audience index wrong', ({ faults }) => faults],
];

/** Metrics of one process in a registry of their own; with those of the audience index where the process keeps one. */
export const makeMetrics = (index?: () => IndexState): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  if (index)
    for (const [name, help, value] of ofIndex) {
      const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: () => gauge.set(value(index())) });
    }
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
